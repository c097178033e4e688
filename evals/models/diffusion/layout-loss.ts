/** @file All losses of a layout on the attention of one canvas, with their gradient. */
import type { PatchBox } from './layout.ts'
import { conceptLosses, regionLoss } from './layout-losses.ts'

/** Of one canvas: attention of patches to each region's first word `[n]`, and between patches `[n, n]`. */
export interface AttentionMaps {
  readonly cross: readonly Float32Array[]
  readonly self: Float32Array
}

/** Sum of the three losses over concepts; region 0 is what lies outside all boxes. */
export function layoutLoss(
  { cross, self }: AttentionMaps,
  boxes: readonly PatchBox[],
  side: number,
): { readonly value: number; readonly gradient: AttentionMaps } {
  let value = 0
  const gradient = {
    self: new Float32Array(self.length),
    cross: cross.map((map) => new Float32Array(map.length)),
  }
  const add = (into: Float32Array, loss: ReturnType<typeof regionLoss>) => {
    value += loss.value
    loss.gradient.forEach((slope, i) => (into[i]! += slope))
  }
  boxes.forEach((box, b) => {
    const { concept, fill } = conceptLosses(cross[b + 1]!, box, side)
    add(gradient.cross[b + 1]!, concept)
    add(gradient.cross[b + 1]!, fill)
    add(gradient.self, regionLoss(self, box, side))
  })
  return { value, gradient }
}
