/** @file Whether a fine-tune changes its base at all: what changed nothing passes every gate. */
import { asKeptIn } from '../../models/weights/small-weights.ts'
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import type { Base } from '../base.ts'

interface Tuned {
  readonly identity: { readonly weightsDigest: string; readonly adapterDigest: string | null }
  readonly weights: TunedWeights
  /** Whether the weights have the base's names. */
  readonly isComparable: boolean
}

/** Of a weight, or of the typical one of its matrix: what rounding alone makes of one that is computed in another order. */
const ROUNDING = 2 ** -22

/** The size of a weight, taken for a matrix that is all zeros. */
const USUAL = 2 ** -6

/** Of one made elsewhere: by the files of a whole model, or each of its numbers. */
export function isUnchanged(base: Base, { identity, weights, isComparable }: Tuned): boolean {
  if (identity.adapterDigest === null && identity.weightsDigest === base.digest) return true
  if (!isComparable) return false
  // A base that rounds its own numbers differs from its own file by that alone.
  const isWhole = identity.adapterDigest === null
  return hasSameNumbers(base, weights, (name, data) =>
    isWhole ? asKeptIn(base.weights, name, data) : data,
  )
}

type Kept = (name: string, data: Float32Array) => Float32Array

/** Small weights first: a fine-tune differs in one of them soon, and embeddings, which are often kept, are large. */
function hasSameNumbers({ weights: own, model }: Base, tuned: TunedWeights, kept: Kept): boolean {
  const sizes = [...model.weights].map(
    ([name, { shape }]) => [name, shape.reduce((product, each) => product * each, 1)] as const,
  )
  return sizes
    .filter(([name]) => tuned.changed?.has(name) !== false)
    .toSorted(([, one], [, two]) => one - two)
    .every(([name]) => {
      const [before, after] = [own.get(name), kept(name, tuned.read(name))]
      return before?.length === after.length && isSameInFloat32(before, after)
    })
}

/** Whether no number moves further than float32 rounds in a matrix whose numbers are typically this large. */
export function isSameInFloat32(
  before: Float32Array,
  after: Float32Array,
  typical = typicalOf([before]),
): boolean {
  const size = typical === 0 ? USUAL : typical
  return before.every(
    (was, i) => Math.abs(after[i]! - was) <= ROUNDING * Math.max(Math.abs(was), size),
  )
}

/** The root of the mean square. */
export function typicalOf(all: readonly Float32Array[]): number {
  let [sum, count] = [0, 0]
  for (const numbers of all) {
    count += numbers.length
    for (const each of numbers) sum += each * each
  }
  return Math.sqrt(sum / Math.max(1, count))
}
