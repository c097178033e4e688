/**
 * @file Boxes on a canvas of patches, one for each concept (LoRA-Composer, Yang et al. 2024): which patch is whose, which patches
 * must not see each other, and where a latent holds most of a concept. Values of patches are in reading order, `[side²]`.
 */

/** x0, y0, x1, y1 in patches, the last ones excluded, y downwards. */
export type PatchBox = readonly [number, number, number, number]

/** Indices of the patches in a box. */
export const patchesOfBox = ([x0, y0, x1, y1]: PatchBox, side: number): number[] =>
  Array.from(
    { length: (y1 - y0) * (x1 - x0) },
    (_, i) => (y0 + Math.floor(i / (x1 - x0))) * side + x0 + (i % (x1 - x0)),
  )

const among = (box: PatchBox, side: number) => new Set(patchesOfBox(box, side))

/** Share of each patch: of what lies outside all boxes, then of each box. Boxes that overlap share a patch evenly. */
export function sharesOf(boxes: readonly PatchBox[], side: number): Float32Array[] {
  const inside = boxes.map((box) => among(box, side))
  const count = (patch: number) => inside.filter((patches) => patches.has(patch)).length
  const shares = (of: (patch: number) => number) =>
    Float32Array.from({ length: side ** 2 }, (_, i) => of(i))
  return [
    shares((patch) => Number(count(patch) === 0)),
    ...inside.map((patches) => shares((patch) => (patches.has(patch) ? 1 / count(patch) : 0))),
  ]
}

/** What is added to a score of attention that must not be. */
const APART = -1e6

/** Added to the scores of attention between patches, `[side², side²]`: those of unlike boxes do not see each other. */
export function isolation(boxes: readonly PatchBox[], side: number): Float32Array {
  const owners = Array.from({ length: side ** 2 }, (_, patch) =>
    boxes.flatMap((box, b) => (among(box, side).has(patch) ? b : [])),
  )
  return Float32Array.from({ length: side ** 4 }, (_, i) => {
    const [a, b] = [owners[Math.floor(i / side ** 2)]!, owners[i % side ** 2]!]
    const isApart = a.length > 0 && b.length > 0 && !a.some((owner) => b.includes(owner))
    return isApart ? APART : 0
  })
}

/** The box of the same size with the largest sum of the map; the first of equal ones. */
function fullestWindow(map: ArrayLike<number>, [x0, y0, x1, y1]: PatchBox, side: number): PatchBox {
  const [width, height] = [x1 - x0, y1 - y0]
  let best: { box: PatchBox; sum: number } | undefined
  for (let y = 0; y + height <= side; y++)
    for (let x = 0; x + width <= side; x++) {
      const box: PatchBox = [x, y, x + width, y + height]
      const sum = patchesOfBox(box, side).reduce((total, patch) => total + map[patch]!, 0)
      if (!best || sum > best.sum) best = { box, sum }
    }
  return best!.box
}

/**
 * A latent whose boxes begin as the windows that hold most of their concept, with the latent's old mean and standard deviation.
 * Each map is a concept's attention; the latent is `[(side·patch)²]` pixels, row by row.
 */
export function reinitialised(
  latent: Float64Array,
  boxes: readonly PatchBox[],
  maps: readonly ArrayLike<number>[],
  { side, patch }: { readonly side: number; readonly patch: number },
): Float64Array {
  const moved = latent.slice()
  const across = side * patch
  boxes.forEach(([x0, y0, x1, y1], b) => {
    const [fromX, fromY] = fullestWindow(maps[b]!, [x0, y0, x1, y1], side)
    for (let y = 0; y < (y1 - y0) * patch; y++)
      for (let x = 0; x < (x1 - x0) * patch; x++)
        moved[(y0 * patch + y) * across + x0 * patch + x] =
          latent[(fromY * patch + y) * across + fromX * patch + x]!
  })
  const [old, own] = [momentsOf(latent), momentsOf(moved)]
  return moved.map(
    (value) => old.mean + (own.sd === 0 ? 0 : (old.sd * (value - own.mean)) / own.sd),
  )
}

function momentsOf(values: Float64Array) {
  const mean = values.reduce((sum, value) => sum + value, 0) / values.length
  const variance = values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length
  return { mean, sd: Math.sqrt(variance) }
}
