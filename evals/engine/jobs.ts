/** @file The jobs of the window: one runs, the others wait. */
import type { JobKindName } from '../contract/calls/catalog.ts'
import type { JobView } from '../contract/calls/jobs.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { toWireError } from '../errors/wire.ts'
import { isWorthKeeping } from '../runs/attempt.ts'
import { newRunId, parseStored } from '../runs/kinds/job-verb.ts'
import type { Feed } from './feed.ts'
import type { Home } from './home.ts'
import { openQueue, type JobQueue } from './job-queue.ts'
import {
  cancelledView,
  endedView,
  endedViews,
  refusedView,
  runningView,
  waitingView,
} from './job-view.ts'
import { commandOf, findKind, KINDS, parseRequest } from './kinds.ts'
import { publishTo, startJob, stopJob, type RunningJob } from './running-job.ts'

export interface Jobs {
  start(kind: JobKindName, config: Readonly<Record<string, unknown>>): string
  stop(runId: string): void
  resume(runId: string): void
  /** To this place in the queue, from 1; past its end is its end. */
  move(runId: string, position: number): void
  list(): JobView[]
  /** Whether it waits or runs. */
  isActive(runId: string): boolean
  /** Whether the job that runs writes to this folder. */
  isBusy(folder: string): boolean
  /** Stops what runs at its next safe point; what waits is kept for the next time. */
  close(): Promise<void>
}

interface Desk {
  readonly home: Home
  readonly feed: Feed
  readonly queue: JobQueue
  /** Jobs that could not start: no database holds them. */
  readonly refused: JobView[]
  running: RunningJob | undefined
  isClosing: boolean
}

const PATIENCE_MS = 10_000

export function createJobs(home: Home, feed: Feed): Jobs {
  const queue = openQueue(home)
  const desk: Desk = { home, feed, queue, refused: [], running: undefined, isClosing: false }
  startNext(desk)
  return {
    start: (kind, config) => start(desk, kind, config),
    stop: (runId) => stop(desk, runId),
    resume: (runId) => resume(desk, runId),
    move(runId, position) {
      if (!queue.move(runId, position)) throw notHere(runId, 'not waiting')
      publishJobs(desk)
    },
    list() {
      const active = activeViews(desk)
      const ids = new Set(active.map(({ runId }) => runId))
      const ended = endedViews(home, ids, desk.running?.request.folder)
      return [...active, ...desk.refused, ...ended]
    },
    isActive: (runId) => isActive(desk, runId),
    isBusy: (folder) => desk.running?.request.folder === folder,
    close: () => close(desk),
  }
}

const isActive = ({ running, queue }: Desk, runId: string) =>
  running?.runId === runId || queue.has(runId)

const activeViews = ({ running, queue }: Desk): JobView[] => [
  ...(running ? [runningView(running)] : []),
  ...queue.list().map((each, i) => waitingView(each, i + 1)),
]

const publishJobs = (desk: Desk, ...changed: readonly JobView[]) =>
  desk.feed.publish({ type: 'jobs', jobs: [...changed, ...activeViews(desk)] })

function startNext(desk: Desk): void {
  const { home, feed, queue } = desk
  const waiting = desk.running || desk.isClosing ? undefined : queue.take()
  if (!waiting) return
  const job = startJob(home, waiting, (begun, seq) => {
    queue.forget(begun.runId)
    publishTo(seq, begun, home, feed)
  })
  desk.running = job
  void job.child.ended.then((how) => ended(desk, job, how))
}

/** The database may hold events that the process could not announce any more. */
function ended(desk: Desk, job: RunningJob, how: string | null): void {
  const { home, feed, queue } = desk
  const store = home.store(job.request.folder)
  const isStored = store.run(job.runId) !== undefined
  if (isStored) publishTo(store.lastSeq(job.runId), job, home, feed)
  queue.forget(job.runId)
  desk.running = undefined
  const view = isStored ? endedView(home.find(job.runId)) : refusedView(job, deathOf(job, how))
  if (!isStored) desk.refused.unshift(view)
  startNext(desk)
  publishJobs(desk, job.refusal ? { ...view, error: job.refusal } : view)
}

function deathOf({ refusal }: RunningJob, how: string | null) {
  const died = { what: 'ran this job', how: how ?? 'it ended before it began' }
  return refusal ?? toWireError(new TouchstoneError('engine.process-died', died))
}

function start(desk: Desk, kind: JobKindName, config: Readonly<Record<string, unknown>>): string {
  const parsed = parseRequest(kind, config)
  const added = KINDS[kind].addsTo?.(parsed)
  const { folder } = added === undefined ? desk.home : desk.home.find(added)
  const command = commandOf(kind, parsed, folder)
  const request = { kind, config: parsed, isResumed: false, command, folder }
  const runId = newRunId(kind)
  enqueue(desk, runId, request)
  return runId
}

function enqueue(desk: Desk, runId: string, request: RunningJob['request']): void {
  desk.queue.add({ runId, request, askedAt: Date.now() })
  startNext(desk)
  publishJobs(desk)
}

function stop(desk: Desk, runId: string): void {
  const dropped = desk.queue.remove(runId)
  if (dropped) return publishJobs(desk, cancelledView(dropped))
  if (desk.running?.runId !== runId) throw notHere(runId, 'not running')
  stopJob(desk.running)
  publishJobs(desk)
}

function resume(desk: Desk, runId: string): void {
  const { run, store, folder } = desk.home.find(runId)
  if (isActive(desk, runId)) throw notHere(runId, 'waiting or running')
  if (run.outcome === 'done') throw notHere(runId, 'done')
  const config = parseStored(findKind(run.kind, runId), run)
  if (!isWorthKeeping(store, run)) throw notHere(runId, 'without anything to go on from')
  const kind = run.kind as JobKindName
  enqueue(desk, runId, { kind, config, isResumed: true, command: run.command, folder })
}

async function close(desk: Desk): Promise<void> {
  desk.isClosing = true
  const { child } = desk.running ?? {}
  child?.send({ type: 'stop' })
  const timer = setTimeout(() => child?.kill(), PATIENCE_MS)
  await child?.ended
  clearTimeout(timer)
}

const notHere = (run: string, status: string) =>
  new TouchstoneError('job.not-here', { run, status })
