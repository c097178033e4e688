/** @file Whether a fine-tune made elsewhere changes its base at all: what changed nothing passes every gate. */
import type { TunedWeights } from '../../models/weights/tuned-weights.ts'
import type { Base } from '../base.ts'

interface Tuned {
  readonly identity: { readonly weightsDigest: string; readonly adapterDigest: string | null }
  readonly weights: TunedWeights
  /** Whether the weights have the base's names. */
  readonly isComparable: boolean
}

/** By every update of an adapter; by the files of a whole model, or each of its numbers. */
export function isUnchanged(base: Base, { identity, weights, isComparable }: Tuned): boolean {
  const { lowRank } = weights
  if (lowRank) return [...lowRank.values()].every(isNothing)
  if (identity.adapterDigest === null && identity.weightsDigest === base.digest) return true
  return isComparable && hasSameNumbers(base, weights)
}

const isNothing = ({ A, B, scale }: { A: Float32Array; B: Float32Array; scale: number }) =>
  scale === 0 || isZero(A) || isZero(B)
const isZero = (numbers: Float32Array) => numbers.every((each) => each === 0)

/** Small weights first: a fine-tune differs in one of them soon, and embeddings, which are often kept, are large. */
function hasSameNumbers({ weights: own, model }: Base, tuned: TunedWeights): boolean {
  const sizes = [...model.weights].map(
    ([name, { shape }]) => [name, shape.reduce((product, each) => product * each, 1)] as const,
  )
  return sizes
    .toSorted(([, one], [, two]) => one - two)
    .every(([name]) => {
      const [before, after] = [own.get(name), tuned.read(name)]
      return before?.length === after.length && before.every((each, i) => Object.is(each, after[i]))
    })
}
