/** @file Jobs as the window lists them: waiting, running, refused, ended. */
import type { JobView } from '../contract/calls/jobs.ts'
import type { WireError } from '../contract/wire-error.ts'
import { isWorthKeeping } from '../runs/attempt.ts'
import { writtenRun } from '../runs/databases.ts'
import type { FoundRun, Home } from './home.ts'
import type { JobRequest } from './job-messages.ts'
import type { WaitingJob } from './job-queue.ts'
import { KINDS, titleOfKind } from './kinds.ts'
import type { RunningJob } from './running-job.ts'

const MOST_ENDED = 100

/** Until the job's own events carry a title. */
const titleOf = ({ kind, config }: JobRequest) =>
  `${titleOfKind(kind)} of ${(config as { model?: string | null }).model ?? 'a testbed'}`

const blank = ({ runId, request, askedAt }: WaitingJob) => ({
  runId,
  kind: request.kind,
  title: titleOf(request),
  command: request.command,
  startedAt: askedAt,
  at: askedAt,
  seq: 0,
  phases: [],
  error: null,
  position: null,
  canResume: false,
})

export const waitingView = (job: WaitingJob, position: number): JobView => ({
  ...blank(job),
  status: 'queued',
  position,
})

export const cancelledView = (job: WaitingJob): JobView => ({ ...blank(job), status: 'cancelled' })

export const refusedView = (job: WaitingJob, error: WireError): JobView => ({
  ...blank(job),
  status: 'failed',
  error,
})

export function runningView(job: RunningJob): JobView {
  const { state, isStopping, request } = job
  const going = isStopping ? 'stopping' : 'running'
  if (!state) return { ...blank(job), status: going }
  const { title, phases, startedAt, at } = state
  return {
    ...blank(job),
    // After its last event its process is about to end.
    status: state.status === 'running' ? going : state.status,
    startedAt,
    at,
    seq: job.seq,
    phases: [...phases],
    title: title === '' ? titleOf(request) : title,
  }
}

/** `isWritten`: another process writes to it. */
export function endedView(
  { run, store }: Pick<FoundRun, 'run' | 'store'>,
  isWritten = false,
): JobView {
  const isOurs = Object.hasOwn(KINDS, run.kind)
  return {
    runId: run.id,
    kind: run.kind,
    title: run.title,
    command: run.command,
    status: run.outcome ?? (isWritten ? 'running' : 'interrupted'),
    position: null,
    phases: [],
    error: run.error,
    startedAt: run.startedAt,
    at: run.endedAt ?? run.startedAt,
    seq: store.lastSeq(run.id),
    canResume: !isWritten && isOurs && run.outcome !== 'done' && isWorthKeeping(store, run),
  }
}

/** The newest runs without the `active` ones. The lock on the folder `ours` is that of this engine's job. */
export function endedViews(
  home: Home,
  active: ReadonlySet<string>,
  ours: string | undefined,
): JobView[] {
  const found = home.folders().flatMap((folder) => {
    const store = home.store(folder)
    const written = folder === ours ? undefined : writtenRun(folder, store)
    return store.runs().map((run) => ({ run, store, isWritten: run.id === written }))
  })
  const notes = home.windowStore.notes()
  const views: JobView[] = []
  for (const each of found.sort((a, b) => b.run.startedAt - a.run.startedAt)) {
    if (views.length === MOST_ENDED) break
    const { id } = each.run
    if (active.has(id) || notes.get(id)?.deletedAt) continue
    views.push(endedView(each, each.isWritten))
  }
  return views
}
