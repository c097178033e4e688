/** @file Arithmetic of strategies on named tensors, number by number, in float64. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Numbers } from '../../spectra/decomposition/matrix.ts'
import type { Round, Tensors, Update } from './strategy.ts'

type Combine = (tensors: readonly Numbers[], updates: readonly Update[]) => Float64Array

/** One tensor after the other; all clients must send the server's shapes. */
function perTensor({ before, updates }: Round, combine: Combine) {
  return new Map(
    [...before].map(([name, { shape }]) => {
      const sent = updates.map(({ client, tensors }) => {
        const tensor = tensors.get(name)!
        if (String(tensor.shape) !== String(shape)) {
          const [found, expected] = [tensor.shape, shape].map((size) => size.join(' × '))
          throw new TouchstoneError('federation.ranks-differ', {
            client,
            name,
            found: found!,
            expected: expected!,
          })
        }
        return tensor.data
      })
      return [name, combine(sent, updates)] as const
    }),
  )
}

/** Σ p_i x_i. */
export const weightedMean = (round: Round) =>
  perTensor(round, (tensors, updates) => {
    const out = new Float64Array(tensors[0]!.length)
    tensors.forEach((tensor, i) => {
      const { weight } = updates[i]!
      for (let t = 0; t < out.length; t++) out[t]! += weight * tensor[t]!
    })
    return out
  })

/** `choose` of the values of all clients at each coordinate, ascending; weights do not count. */
export const perCoordinate = (round: Round, choose: (sorted: Float64Array) => number) =>
  perTensor(round, (tensors) => {
    const values = new Float64Array(tensors.length)
    return Float64Array.from(tensors[0]!, (_, t) => {
      tensors.forEach((tensor, i) => (values[i] = tensor[t]!))
      return choose(values.sort())
    })
  })

export const medianOf = (sorted: Float64Array): number => {
  const half = sorted.length >> 1
  return sorted.length % 2 === 1 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2
}

/** ‖x_i − before‖ over all trained tensors. */
export function updateNorm(before: Tensors, { tensors }: Update): number {
  let sum = 0
  for (const [name, { data }] of tensors) {
    const from = before.get(name)!.data
    for (let t = 0; t < data.length; t++) sum += (data[t]! - from[t]!) ** 2
  }
  return Math.sqrt(sum)
}

/** Every update shortened to a norm of at most `most`: before + Δ·min(1, most/‖Δ‖). */
export const clippedUpdates = ({ before, updates }: Round, most: number): Update[] =>
  updates.map((update) => {
    const norm = updateNorm(before, update)
    if (norm <= most) return update
    const shortened = [...update.tensors].map(([name, { shape, data }]) => {
      const from = before.get(name)!.data
      const moved = Float64Array.from(data, (x, t) => from[t]! + ((x - from[t]!) * most) / norm)
      return [name, { shape, data: moved }] as const
    })
    return { ...update, tensors: new Map(shortened) }
  })
