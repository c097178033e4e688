/** @file W + Σ λ_i ΔW_i with λ = 1 by default (Ilharco et al. 2023, “Editing models with task arithmetic”), cut to the rank. */
import { cutSum } from '../low-rank.ts'
import type { Merging } from '../merging.ts'

export const taskArithmetic: Merging = {
  name: 'task-arithmetic',
  summary: 'the sum of the changes, each times its weight, cut to the rank',
  source: 'Ilharco et al. 2023, section 2',
  defaultWeights: 'sum',
  reads: ['rank'],
  merge: cutSum,
  peft: { name: 'svd', merge: cutSum },
}
