/** @file A = Σ √(w s) A_i and B = Σ √(w s) B_i: cheap, and not the sum of the changes, since cross terms appear. */
import { onFactors, weightedSum } from '../elementwise.ts'
import type { Merging } from '../merging.ts'

const merge = onFactors(weightedSum)

export const linear: Merging = {
  name: 'linear',
  summary: 'the weighted mean of A and of B apart; equal ranks; cross terms appear',
  source: 'PEFT, combination_type linear',
  defaultWeights: 'average',
  reads: [],
  merge,
  peft: { name: 'linear', merge },
}
