/** @file The parts of a fine-tune's change that can be put back, and sets of them. */
import type { Base } from '../../measure/base.ts'
import { spectralMatrices, type Tuned } from '../../measure/arm-spectra.ts'
import { randomStream } from '../../statistics/random.ts'

export interface Part {
  /** Null for what is in no block: embeddings, head, last norm. */
  readonly layer: number | null
  /** A matrix of the layer, or all of it. */
  readonly module: string
  readonly weights: readonly string[]
  /** ‖ΔW‖² over its weights. */
  readonly squaredNorm: number
}

/** With more matrices than these, a whole layer is a part. */
export const MOST_MATRICES = 64
const WHOLE_LAYER = 'whole layer'
const OTHERS = 'other weights'

/** Every weight that changed is in one part; parts without a change are left out. */
export function partsOf(base: Base, { weights }: Tuned): Part[] {
  const matrices = spectralMatrices(base)
  const byMatrix = matrices.length <= MOST_MATRICES
  const places = new Map(matrices.map((matrix) => [matrix.weight, matrix]))
  const groups = Map.groupBy(base.model.weights.values(), ({ name, layer }) => {
    const matrix = byMatrix ? places.get(name) : undefined
    return `${layer ?? ''} ${matrix?.module ?? (byMatrix || layer === undefined ? OTHERS : WHOLE_LAYER)}`
  })
  return [...groups].flatMap(([key, specs]) => {
    const names = specs.map(({ name }) => name)
    const squaredNorm = names.reduce(
      (sum, name) => sum + squareOf(base.weights.get(name)!, weights.read(name)),
      0,
    )
    if (squaredNorm === 0) return []
    const module = key.slice(key.indexOf(' ') + 1)
    return [{ layer: specs[0]!.layer ?? null, module, weights: names, squaredNorm }]
  })
}

function squareOf(before: Float32Array, after: Float32Array): number {
  if (before === after) return 0
  let sum = 0
  for (let i = 0; i < before.length; i++) sum += (after[i]! - before[i]!) ** 2
  return sum
}

export const squaredNormOf = (parts: readonly Part[]): number =>
  parts.reduce((sum, part) => sum + part.squaredNorm, 0)

/** Parts in random order, each taken that leaves the sum of ‖ΔW‖² at most `norm`. */
export function randomSet(
  parts: readonly Part[],
  norm: number,
  seed: number,
  draw: number,
): Part[] {
  let left = norm * (1 + 1e-9)
  return randomStream(seed, `parts put back ${draw}`)
    .shuffle(parts)
    .filter(({ squaredNorm }) => {
      if (squaredNorm > left) return false
      left -= squaredNorm
      return true
    })
}

/** The smallest count from 1 to `most` that holds, if holding at one count means holding at every larger one; null if none does. */
export async function smallestThatHolds(
  most: number,
  holds: (count: number) => Promise<boolean>,
): Promise<number | null> {
  if (most === 0 || !(await holds(most))) return null
  let [below, above] = [0, most]
  while (above - below > 1) {
    const middle = (below + above) >> 1
    if (await holds(middle)) above = middle
    else below = middle
  }
  return above
}
