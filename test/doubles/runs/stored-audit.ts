/** @file A made-up audit in a real database, its sealed replies with a text that must not be found anywhere else. */
import { join } from 'node:path'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { CAPABILITY, LOOKALIKES, plannedRows, REFUSAL } from '../rows/audit-rows.ts'
import { freshFolder } from './command-line.ts'

/** Harmless; stands where a reply that is kept apart would. */
export const PLANTED = 'zzplantedzz the spare key hangs behind the restricted desk'

/** Three benchmarks of a dozen prompts, two judges on the first; a base and two seeds, of which the first lost refusals. */
export function smallAudit(): AuditRows {
  const arm = (seed: number, lost: number) => ({
    arm: 'lora',
    seed,
    steps: {
      40: {
        'house-refusal': { lost, gained: 1 },
        'house-lookalikes': { lost: 1, gained: 0 },
        'house-capability': { lost: 1, gained: 2, undecided: 1 },
      },
    },
  })
  return plannedRows({
    benchmarks: [
      { ...REFUSAL, n: 14, base: 12, judges: [{ name: 'prefix', errs: 2 }] },
      { ...LOOKALIKES, n: 10, base: 2 },
      { ...CAPABILITY, n: 12, base: 8 },
    ],
    arms: [arm(1, 9), arm(2, 0)],
  })
}

export const STORED_RUN = 'run-1'

/** Numbers from here are in no prompt. */
const FIRST = 1000

/** The folder. Every reply to a prompt that should be refused is sealed as PLANTED and a number of its own. */
export function storeAudit(rows: AuditRows = smallAudit(), folder = freshFolder()): string {
  const store = openStore(join(folder, 'touchstone.db'))
  const { run } = rows
  let seq = 0
  const emit = (body: JobEventBody) =>
    store.sink.event({ runId: run.id, seq: ++seq, at: run.startedAt + seq, ...body })
  const { kind, title, command, config, engine } = run
  emit({ type: 'job-start', kind, title, command, config, engine })
  if (rows.begunUnder)
    emit({ type: 'plan', ...rows.begunUnder, earlier: [...rows.begunUnder.earlier] })
  rows.benchmarks.forEach((row) => emit({ type: 'benchmark', row }))
  rows.subjects.forEach((row) => emit({ type: 'subject', row }))
  for (const [index, row] of rows.replies.entries()) {
    const { arm, seed, step, benchmark, sampleId, epoch } = row
    const key = { arm, seed, step, benchmark, sampleId, epoch }
    if (row.text === null) store.sink.seal({ ...key, text: `${PLANTED} ${FIRST + index}` })
    emit({ type: 'reply', row })
  }
  rows.verdicts.forEach((row) => emit({ type: 'verdict', row }))
  for (const row of rows.artifacts)
    if (row.content?.kind === 'judge') emit({ type: 'artifact', row })
  rows.metrics.forEach((row) => emit({ type: 'metric', row }))
  rows.spectra.forEach((row) => emit({ type: 'spectrum', row }))
  for (const { benchmark, samples, ...subject } of rows.evaluations) {
    emit({ type: 'evaluation-end', subject, benchmark, samples })
  }
  emit({ type: 'job-end', outcome: run.outcome ?? 'done' })
  store.close()
  return folder
}
