/**
 * @file TIES (Yadav et al. 2023, “TIES-Merging”, algorithm 1), in the order of PEFT: trim each change to its int(density · n) largest
 * numbers; elect the sign of the unweighted sum (0 counts as +); multiply by the weights; average the numbers of that sign.
 */
import { onChanges, onFactors, type Combine } from '../elementwise.ts'
import type { Merging } from '../merging.ts'

const combine: Combine = (tensors, weights, { density }) => {
  const trimmed = tensors.map((tensor) => largest(tensor, density))
  return Float64Array.from(trimmed[0]!, (_, t) => {
    const elected = trimmed.reduce((sum, tensor) => sum + tensor[t]!, 0) >= 0 ? 1 : -1
    let [sum, count] = [0, 0]
    trimmed.forEach((tensor, i) => {
      if (Math.sign(tensor[t]!) !== elected) return
      sum += weights[i]! * tensor[t]!
      count++
    })
    return sum / Math.max(1, count)
  })
}

/** The int(density · n) numbers of largest magnitude, the others 0; of equal ones the earlier. */
function largest(tensor: Float64Array, density: number): Float64Array {
  const count = Math.trunc(density * tensor.length)
  if (count >= tensor.length) return tensor
  const out = new Float64Array(tensor.length)
  if (count === 0) return out
  const least = tensor.map(Math.abs).sort()[tensor.length - count]!
  let left = count
  tensor.forEach((x, t) => {
    if (Math.abs(x) > least) left--
    if (Math.abs(x) >= least) out[t] = x
  })
  for (let t = 0; t < out.length; t++) {
    if (Math.abs(out[t]!) === least && left-- <= 0) out[t] = 0
  }
  return out
}

export const ties: Merging = {
  name: 'ties',
  summary: 'each change trimmed to its largest numbers, signs elected, the agreeing averaged',
  source: 'Yadav et al. 2023, algorithm 1; the order of PEFT',
  defaultWeights: 'sum',
  reads: ['rank', 'density'],
  merge: onChanges(combine),
  peft: { name: 'ties', merge: onFactors(combine) },
}
