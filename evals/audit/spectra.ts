/** @file The spectra of every fine-tune of a job against their base, scanned side by side. */
import type { SubjectKey } from '../contract/rows.ts'
import type { JobContext } from '../jobs/job.ts'
import type { TunedWeights } from '../models/tuned-weights.ts'
import { scanModel, type MatrixPlace } from '../spectra/compare.ts'
import type { Base } from './base.ts'

export interface Tuned {
  readonly key: SubjectKey
  readonly weights: TunedWeights
}

/** The linear layers inside the blocks; embeddings, norms and the head are left out (Shuttleworth et al., §3). */
export const spectralMatrices = ({ model }: Pick<Base, 'model'>): MatrixPlace[] =>
  [...model.weights.values()].flatMap(({ name, shape, layer, module }) =>
    layer === undefined || module === undefined
      ? []
      : [{ layer, module, weight: name, shape: [shape[0]!, shape[1]!] as [number, number] }],
  )

export async function scanSpectra(
  base: Base,
  tuned: readonly Tuned[],
  { emit, signal, flush }: JobContext,
): Promise<void> {
  if (tuned.length === 0) return
  const matrices = spectralMatrices(base)
  const phase = 'spectra'
  emit({ type: 'phase-start', phase, total: matrices.length * tuned.length, unit: 'matrix' })
  const rows = scanModel({
    matrices,
    readBase: (name) => base.weights.get(name)!,
    tuned: tuned.map(({ key, weights }) => ({
      key,
      read: (name) => weights.read(name),
      readChange: (name) => weights.change(name),
    })),
    signal,
    onProgress: ({ done }) => emit({ type: 'phase-progress', phase, done }),
  })
  for await (const row of rows) emit({ type: 'spectrum', row })
  emit({ type: 'phase-end', phase })
  flush()
}
