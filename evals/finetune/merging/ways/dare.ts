/** @file DARE (Yu et al. 2024, “Language models are super Mario”): each number is dropped with 1 − density, the rest divided by it. */
import { onChanges, onFactors, weightedSum, type Combine } from '../elementwise.ts'
import type { Merging } from '../merging.ts'

const combine: Combine = (tensors, weights, settings) => {
  const { density, random } = settings
  const thinned = tensors.map((tensor, i) => {
    const { uniform } = random(`dare ${i}`)
    return density >= 1 ? tensor : tensor.map((x) => (uniform() < density ? x / density : 0))
  })
  return weightedSum(thinned, weights, settings)
}

export const dare: Merging = {
  name: 'dare',
  summary: 'numbers of each change dropped at random and the rest made larger, then summed',
  source: 'Yu et al. 2024, equations 2 to 4; drawn by the seed',
  defaultWeights: 'sum',
  reads: ['rank', 'density'],
  merge: onChanges(combine),
  peft: { name: 'dare_linear', merge: onFactors(combine) },
}
