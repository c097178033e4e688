/** @file Arithmetic on the weights of a fine-tune, one tensor at a time, for remedies and their controls. */
import { fillNormal, randomStream } from '../../statistics/random.ts'
import type { FineTune, MadeWeights } from './remedy.ts'

type Weighed = Pick<FineTune, 'base' | 'tuned'>

/** `W0` of the base and `W1` of the fine-tune, which are one array where nothing changed. */
interface Tensor {
  readonly name: string
  readonly W0: Float32Array
  readonly W1: Float32Array
}

const tensorOf = ({ base, tuned }: Weighed, name: string): Tensor => ({
  name,
  W0: base.weights.get(name)!,
  W1: tuned.weights.read(name),
})

/** What `change` makes of each tensor that the fine-tune changed. */
export const changedWeights = (
  of: Weighed,
  change: (tensor: Tensor) => Float32Array,
): MadeWeights => ({
  read(name) {
    const tensor = tensorOf(of, name)
    return tensor.W0 === tensor.W1 ? tensor.W1 : change(tensor)
  },
})

/** W0 + factor·(W1 − W0). */
export const scaled = ({ W0, W1 }: Tensor, factor: number): Float32Array =>
  W0.map((w, i) => w + factor * (W1[i]! - w))

export function squaredDistance(a: Float32Array, b: Float32Array): number {
  if (a === b) return 0
  let sum = 0
  for (let i = 0; i < a.length; i++) sum += (a[i]! - b[i]!) ** 2
  return sum
}

/** W1 moved by `distance` (Frobenius) in a direction drawn by seed and name. */
function movedAtRandom({ name, W1 }: Tensor, distance: number, seed: number): Float32Array {
  const direction = fillNormal(new Float64Array(W1.length), randomStream(seed, `remedy ${name}`))
  const norm = Math.sqrt(direction.reduce((sum, x) => sum + x * x, 0))
  return W1.map((w, i) => w + (distance / norm) * direction[i]!)
}

/** Each tensor of the fine-tune moved as far as `made` moves it, at random. */
export const asFarAtRandom = (of: Weighed, made: MadeWeights): MadeWeights =>
  changedWeights(of, (tensor) => {
    const distance = Math.sqrt(squaredDistance(made.read(tensor.name), tensor.W1))
    return distance === 0 ? tensor.W1 : movedAtRandom(tensor, distance, of.tuned.key.seed)
  })
