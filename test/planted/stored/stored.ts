/** @file Made-up runs in a database, as their jobs would have written them. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { logOf } from '../../doubles/rows/job-events.ts'
import type { Decided } from '../candidate.ts'

export const freshDatabase = () =>
  join(mkdtempSync(join(tmpdir(), 'touchstone-planted-')), 'touchstone.db')

/** What the job of these rows would have told. */
function toldBy({ run, planned, ...rows }: AuditRows): JobEventBody[] {
  const { kind, title, command, config, engine } = run
  return [
    { type: 'job-start', kind, title, command, config, engine },
    ...rows.benchmarks.map((row) => ({ type: 'benchmark' as const, row })),
    ...rows.subjects.map((row) => ({ type: 'subject' as const, row })),
    ...rows.replies.map((row) => ({ type: 'reply' as const, row })),
    ...rows.artifacts.map((row) => ({ type: 'artifact' as const, row })),
    ...(planned ? [{ type: 'planned' as const, states: [...planned] }] : []),
    ...rows.verdicts.map((row) => ({ type: 'verdict' as const, row })),
    ...rows.evaluations.map(({ arm, seed, step, benchmark, samples }) => ({
      type: 'evaluation-end' as const,
      ...{ subject: { arm, seed, step }, benchmark, samples },
    })),
    { type: 'job-end', outcome: 'done' },
  ]
}

/** Withheld replies are made up. A run that was interrupted when it had begun is asked later, at `askedAt`. */
export function writeRun(
  path: string,
  rows: AuditRows,
  runId: string,
  startedAt: number,
  askedAt = startedAt,
): void {
  const store = openStore(path)
  for (const event of logOf(toldBy(rows), runId)) {
    const from = event.type === 'job-start' ? startedAt : askedAt
    store.sink.event({ ...event, at: from + event.seq })
  }
  for (const { arm, seed, step, benchmark, sampleId, epoch } of rows.replies) {
    store.sink.seal({ arm, seed, step, benchmark, sampleId, epoch, text: `${step}: ${sampleId}` })
  }
  store.close()
}

export function decidedOf(path: string, runId: string): Decided {
  const store = openStore(path)
  const { outcome, headline } = buildResults(store.rows(runId)).verdict
  store.close()
  return { outcome, sentence: headline, claims: [] }
}
