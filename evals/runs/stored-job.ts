/** @file Runs a job into a folder and its database: what the command line and the workbench both do. */
import { join } from 'node:path'
import { runJob } from './run-job.ts'
import { emitLog, type JobContext, type JobEnd, type Sink } from '../contract/job.ts'
import { closedText } from '../contract/words.ts'
import type { AnyJobKind } from '../contract/job.ts'
import { exists } from '../files/read-file.ts'
import { removeTemporaries } from '../files/write-file.ts'
import type { Store } from './store/store.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import { storedPlan } from '../findings/gate/frozen/under-plan.ts'
import { storedGate } from '../findings/gate/gate-file.ts'
import { endedRuns } from './append-to-run.ts'
import { engineFor } from './engine-facts.ts'
import { acceptComposed, exceptionOf } from './kept-exception.ts'
import { referenceRow } from './reference.ts'
import { keepResults } from './kept-results.ts'
import { sameAsBefore } from './same-as-before.ts'
import { writeOutputs, type Written } from './outputs.ts'

export interface StoredJob {
  readonly kind: AnyJobKind
  readonly config: unknown
  readonly runId: string
  readonly isResumed: boolean
  /** Gives the run again. */
  readonly command: string
  readonly writesReports: boolean
  /** The folder of the database; the run's own files go to a folder in it that is called by its id. */
  readonly outDir: string
}

interface Told {
  /** Beside the store. */
  readonly sinks: readonly Sink[]
  readonly signal: AbortSignal
  readonly reportsDir: string
  /** Further files, by their ending. */
  readonly output: readonly string[]
}

interface Ended {
  readonly end: JobEnd
  /** Of a kind that writes reports, where it was done. */
  readonly written: Written | undefined
}

/**
 * Throws where the device that is asked for cannot be used, and where it would merge adapters that should have been deleted without
 * a reason; whatever fails later is how the job ends.
 */
export async function runStored(job: StoredJob, store: Store, told: Told): Promise<Ended> {
  const { runId, outDir } = job
  const startSeq = store.lastSeq(runId)
  if (!job.isResumed) await acceptComposed(job.config)
  const progress = {
    evaluations: store.finishedEvaluations(runId),
    rows: () => store.rows(runId),
    sealed: () => store.sealed(runId),
    ...endedRuns({ store, folder: outDir }),
    exceptionOf: async (path: string) => (await exceptionOf(path))?.because ?? null,
  }
  const engine = engineFor(job.config)
  const before = job.isResumed ? [sameAsBefore(store.rows(runId))] : []
  const sinks = [...before, store.sink, ...told.sinks]
  let written: Written | undefined
  const end = await runJob(
    { runId, workspace: join(outDir, runId), startSeq, sinks, signal: told.signal },
    async (context) => {
      start(job, engine, context)
      tellPlan(job, context, store)
      if (store.closed.length > 0) emitLog(context, 'warn', closedText(store.closed))
      await clearFolder(context, outDir)
      await pinReference(job.config, context, store.rows(runId))
      await job.kind.run(job.config, context, progress)
      // Inside the job: killed here, it is resumed, skips what was measured and writes the report again.
      if (job.writesReports)
        written = await writeOutputs(store.rows(runId), told.reportsDir, told.output)
    },
  )
  if (written) await keepResults({ store, folder: outDir, runId }, written.results)
  return { end, written }
}

/** Before anything is measured, so that a reference that cannot be read ends the job here. */
async function pinReference(config: unknown, { emit }: JobContext, rows: AuditRows): Promise<void> {
  const row = await referenceRow(rows, storedGate(config))
  if (row) emit({ type: 'artifact', row })
}

/** A process that was killed leaves the file behind that it was writing; this one alone may write here now. */
async function clearFolder({ workspace }: JobContext, outDir: string): Promise<void> {
  await removeTemporaries(outDir, false)
  if (await exists(workspace)) await removeTemporaries(workspace, true)
}

function start(
  { kind, config, command, isResumed }: StoredJob,
  engine: ReturnType<typeof engineFor>,
  { emit }: JobContext,
): void {
  if (isResumed) return emit({ type: 'job-resume', engine })
  const title = kind.title(config)
  emit({ type: 'job-start', kind: kind.name, title, command, config, engine })
}

/** Told again where it is resumed: another run may have been asked under the plan since it began. */
function tellPlan({ config, runId }: StoredJob, { emit, flush }: JobContext, store: Store): void {
  const plan = storedPlan(config)
  if (!plan) return
  flush()
  const under = store
    .runs()
    .filter(({ id, config: own }) => id !== runId && storedPlan(own)?.digest === plan.digest)
  const earlier = under.flatMap(({ id }) => (store.isAsked(id) ? [id] : []))
  emit({ type: 'plan', digest: plan.digest, earlier })
}
