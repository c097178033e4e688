/** @file Σ w_i ΔW_i, cut to the rank by its singular values. */
import { cutSum } from '../low-rank.ts'
import type { Merging } from '../merging.ts'

export const svd: Merging = {
  name: 'svd',
  summary: 'the weighted mean of the changes, cut to the rank by its singular values',
  source: 'PEFT, combination_type svd; Eckart and Young 1936',
  defaultWeights: 'average',
  reads: ['rank'],
  merge: cutSum,
  peft: { name: 'svd', merge: cutSum },
}
