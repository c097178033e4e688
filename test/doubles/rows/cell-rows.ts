/** @file The rows of a run that has cells and nothing else. */
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { BenchmarkRow } from '../../../evals/contract/rows.ts'
import type { CellRow } from '../../../evals/contract/sweeps.ts'
import { engine } from './job-events.ts'

export const cellRows = (
  kind: string,
  config: unknown,
  cells: readonly CellRow[],
  benchmarks: readonly BenchmarkRow[] = [],
): AuditRows => ({
  run: {
    id: 'run-1',
    kind,
    title: `A ${kind}`,
    command: `touchstone ${kind}`,
    config,
    engine,
    startedAt: 0,
    endedAt: null,
    outcome: null,
    error: null,
  },
  measuredUntil: 1000,
  benchmarks,
  subjects: [],
  replies: [],
  verdicts: [],
  metrics: [],
  spectra: [],
  evaluations: [],
  checkpoints: [],
  artifacts: [],
  cells,
})
