/** @file One weight compared with its base, without a scan. */
import type { SpectrumRow } from '../../evals/contract/rows.ts'
import { baseDirections, type BaseSystem } from '../../evals/spectra/basis.ts'
import { rowOf, type Compared } from '../../evals/spectra/compare.ts'
import type { Numbers } from '../../evals/spectra/decomposition/matrix.ts'
import type { LowRankChange } from '../../evals/spectra/decomposition/partial-svd.ts'
import { TOP_DIRECTIONS } from '../../evals/spectra/intruders.ts'
import { measured } from '../../evals/spectra/measuring.ts'

type Comparison = Compared & {
  W0: Numbers
  W1: Numbers
  /** The basis of W0, if already computed. */
  base?: BaseSystem | undefined
  change?: LowRankChange | undefined
}

/** Throws `spectrum.not-finite`, `.other-shape` or `.zero-base`. */
export function compareWeight(comparison: Comparison): SpectrumRow {
  const { weight, shape, detail, change, W0, W1, k = TOP_DIRECTIONS } = comparison
  const [rows, columns] = shape
  const base = comparison.base ?? baseDirections({ rows, columns, data: W0 }, weight)
  return rowOf(comparison, measured({ weight, shape, detail, change, W1, k }, W0, base)!)
}
