/** @file An evaluation through the store, as `touchstone eval` does it, and everything that it left there. */
import { join } from 'node:path'
import type { z } from 'zod'
import { EvalConfig } from '../../../evals/audit/config.ts'
import { exceptionIn } from '../../../evals/arms/weights-exception.ts'
import { evalJob } from '../../../evals/audit/eval-job.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { JobEventBody } from '../../../evals/contract/events.ts'
import type { Progress } from '../../../evals/contract/job.ts'
import type { SealedReply } from '../../../evals/contract/rows.ts'
import { openStore } from '../../../evals/runs/store/store.ts'
import { plannedAudit } from '../rows/audit-rows.ts'
import { freshFolder } from './command-line.ts'

export interface Evaluated {
  readonly rows: AuditRows
  readonly sealed: readonly SealedReply[]
  /** What the log says. */
  readonly said: readonly string[]
}

/** What a job is given that goes on from rows, in a folder without any other run. */
export const alone = (
  evaluations: Progress['evaluations'],
  rows: Progress['rows'],
  sealed: Progress['sealed'] = () => [],
): Progress => ({
  evaluations,
  rows,
  sealed,
  ended: () => {
    throw new Error('there is no other run')
  },
  exceptionOf: exceptionIn,
})

export async function evaluated(asked: z.input<typeof EvalConfig>): Promise<Evaluated> {
  const folder = freshFolder()
  const store = openStore(join(folder, 'touchstone.db'))
  const config = EvalConfig.parse(asked)
  let seq = 0
  const emit = (body: JobEventBody) =>
    store.sink.event({ runId: 'run-1', seq: ++seq, at: seq, ...body })
  const { engine } = plannedAudit().run
  emit({ type: 'job-start', kind: 'eval', title: 'eval', command: 'eval', config, engine })
  const { seal, flush } = store.sink
  const { signal } = new AbortController()
  const context = { emit, seal, flush, signal, workspace: join(folder, 'run-1') }
  await evalJob.run(
    config,
    context,
    alone(
      [],
      () => store.rows('run-1'),
      () => store.sealed('run-1'),
    ),
  )
  emit({ type: 'job-end', outcome: 'done' })
  const [rows, sealed] = [store.rows('run-1'), store.sealed('run-1')]
  const said = store.events('run-1').flatMap((event) => (event.type === 'log' ? event.message : []))
  store.close()
  return { rows, sealed, said }
}
