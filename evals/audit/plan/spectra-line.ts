/** @file The line of a plan on spectra: which matrices are decomposed, for how long, in how much memory. */
import type { PlanLine } from '../../contract/job.ts'
import { counted } from '../../contract/words.ts'
import { spectralMatrices } from '../../measure/arm-spectra.ts'
import type { Model } from '../../models/registry.ts'
import { wantsAll } from '../../spectra/directions.ts'
import { laneBytes, thisMachine, threadsFor } from '../../spectra/scan-lanes.ts'
import type { AuditConfig } from '../config.ts'
import { spectraSeconds } from './estimate.ts'
import { PROCESS_BYTES } from './memory.ts'

interface Compared {
  readonly model: Model
  /** Fine-tunes, and those of them that are trained and whose change is of full rank. */
  readonly counts: { readonly spectra: number; readonly whole: number }
  /** Candidates whose change is of full rank. */
  readonly ofFullRank: number
  /** The weights that a fine-tune changes, of each that is known to leave others as they are. */
  readonly changed: readonly ReadonlySet<string>[]
}

export function spectraLines(
  config: Pick<AuditConfig, 'nullDraws' | 'spectrumDetail'>,
  { model, counts, ofFullRank, changed }: Compared,
  machine = thisMachine(),
): PlanLine[] {
  const [tuned, whole] = [counts.spectra, counts.whole + ofFullRank]
  if (tuned === 0) return []
  const { nullDraws: draws, spectrumDetail: detail } = config
  const places = spectralMatrices({ model })
  const others = tuned - changed.length
  const comparisons = places.map(
    ({ weight }) => others + changed.filter((names) => names.has(weight)).length,
  )
  const shapes = places.flatMap(({ shape }, i) => (comparisons[i]! > 0 ? [shape] : []))
  const count = comparisons.reduce((sum, own) => sum + own, 0)
  const skipped = places.length * tuned - count
  const left = skipped > 0 ? `; ${counted(skipped, 'matrix', 'matrices')} unchanged, skipped` : ''
  const seconds = spectraSeconds({ matrices: shapes }, { tuned, whole, draws, detail })
  const threads = threadsFor(shapes, machine)
  const needs = shapes.map((shape) => laneBytes(shape, whole > 0 || wantsAll(shape, detail)))
  const bytes = PROCESS_BYTES + threads * Math.max(0, ...needs)
  const { freeBytes } = machine
  return [
    {
      what: `spectra of each fine-tune’s linear layers against the base${left}`,
      ...{ count, unit: 'matrix', seconds: seconds / threads },
      bytes,
      ...(bytes > freeBytes && { tooLarge: { freeBytes, fitting: [] } }),
    },
  ]
}
