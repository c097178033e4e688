/** @file [w₁s₁B₁ … wₙsₙBₙ]·[A₁; …; Aₙ]: exactly the sum of the changes, at the sum of their ranks. */
import { transposed } from '../../../spectra/decomposition/matrix.ts'
import { stacked, sumOfRanks } from '../low-rank.ts'
import type { Layer, Merged, Merging } from '../merging.ts'

function merge(layer: Layer): Merged {
  const rank = sumOfRanks(layer)
  const B = stacked(layer, 'B', ({ weight, scale }) => weight * scale)
  return { rank, A: stacked(layer, 'A', () => 1), B: transposed(B, rank, layer.rows), lost: 0 }
}

export const concat: Merging = {
  name: 'concat',
  summary: 'the weighted mean of the changes exactly, at the sum of their ranks',
  source: 'PEFT, combination_type cat',
  defaultWeights: 'average',
  reads: [],
  merge,
  peft: { name: 'cat', merge },
}
