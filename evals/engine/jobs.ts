/** @file The queue of jobs: one runs, in a process of its own, the others wait; what it says is read from the database, so that whatever a window saw is stored. */
import { isWorthKeeping } from '../runs/attempt.ts'
import { writtenRun } from '../runs/databases.ts'
import { newRunId, parseStored } from '../runs/kinds/job-verb.ts'
import type { JobKindName } from '../contract/calls/catalog.ts'
import type { JobView } from '../contract/calls/jobs.ts'
import { reduceJob, type JobState } from '../contract/job-state.ts'
import type { WireError } from '../contract/wire-error.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { startChild, type Child } from './child.ts'
import { FEED_TYPES, lean, type Feed } from './feed.ts'
import type { FoundRun, Home } from './home.ts'
import type { FromJob, JobRequest, ToJob } from './job-messages.ts'
import { commandOf, findKind, KINDS, parseRequest, titleOfKind } from './kinds.ts'

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

interface Waiting {
  readonly runId: string
  readonly request: JobRequest
  readonly askedAt: number
}

interface Current extends Waiting {
  readonly child: Child<ToJob, FromJob>
  /** Of what the feed has told; undefined before the first event. */
  state: JobState | undefined
  seq: number
  isStopping: boolean
  refusal: WireError | undefined
}

const MOST_ENDED = 100
/** Read at once; a job that says more is read in several goes. */
const EVENTS = 2000
const PATIENCE_MS = 10_000

export function createJobs(home: Home, feed: Feed): Jobs {
  const waiting: Waiting[] = []
  /** Jobs that could not begin: nothing of them is in a database. */
  const refused: JobView[] = []
  let current: Current | undefined
  let isClosing = false

  const tellQueue = (...changed: readonly JobView[]) =>
    feed.publish({ type: 'jobs', jobs: [...changed, ...activeViews()] })
  const activeViews = (): JobView[] => [
    ...(current ? [currentView(current)] : []),
    ...waiting.map((each, i) => waitingView(each, i + 1)),
  ]

  function enqueue(job: Waiting): void {
    home.workbench.keepWaiting(job.runId, job.request, job.askedAt)
    waiting.push(job)
    next()
    tellQueue()
  }

  function next(): void {
    const job = current || isClosing ? undefined : waiting.shift()
    if (!job) return
    const child = startChild<ToJob, FromJob>('job-process.ts', [
      job.runId,
      JSON.stringify(job.request),
    ])
    const store = home.store(job.request.folder)
    const first = store.pages.events(job.runId, { afterSeq: 0, types: ['job-start'], limit: 1 })
    const state = first.reduce<JobState | undefined>(reduceJob, undefined)
    const seq = store.lastSeq(job.runId)
    const begun: Current = {
      ...job,
      child,
      seq,
      state,
      isStopping: false,
      refusal: undefined,
    }
    current = begun
    child.onMessage((message) => heard(begun, message))
    void child.ended.then((how) => ended(begun, how))
  }

  function heard(job: Current, message: FromJob): void {
    if (message.type === 'refused') job.refusal = message.error
    else readTo(job, message.seq)
  }

  function readTo(job: Current, seq: number): void {
    home.workbench.dropWaiting(job.runId)
    const { pages } = home.store(job.request.folder)
    for (;;) {
      const query = { afterSeq: job.seq, types: FEED_TYPES, limit: EVENTS }
      const events = pages.events(job.runId, query)
      job.state = events.reduce<JobState | undefined>(reduceJob, job.state)
      if (events.length > 0) feed.publish({ type: 'events', events: events.map(lean) })
      job.seq = events.length === EVENTS ? events.at(-1)!.seq : Math.max(job.seq, seq)
      if (events.length < EVENTS) return
    }
  }

  /** Its last words may be in the database and not yet here. */
  function ended(job: Current, how: string | null): void {
    const store = home.store(job.request.folder)
    const isStored = store.run(job.runId) !== undefined
    if (isStored) readTo(job, store.lastSeq(job.runId))
    home.workbench.dropWaiting(job.runId)
    current = undefined
    const view = isStored ? endedView(home.find(job.runId), false) : refusedView(job, how)
    if (!isStored) refused.unshift(view)
    next()
    tellQueue(job.refusal ? { ...view, error: job.refusal } : view)
  }

  for (const { runId, request, askedAt } of home.workbench.waiting()) {
    if (home.store(home.folder).run(runId)) home.workbench.dropWaiting(runId)
    else waiting.push({ runId, request: request as JobRequest, askedAt })
  }
  next()

  return {
    start(kind, config) {
      const parsed = parseRequest(kind, config)
      const { folder } = home
      const command = commandOf(kind, parsed, folder)
      const request = { kind, config: parsed, isResumed: false, command, folder }
      const runId = newRunId(kind)
      enqueue({ runId, request, askedAt: Date.now() })
      return runId
    },
    stop(runId) {
      const index = waiting.findIndex((each) => each.runId === runId)
      if (index >= 0) {
        const [dropped] = waiting.splice(index, 1)
        home.workbench.dropWaiting(runId)
        return tellQueue({ ...waitingView(dropped!, 1), status: 'cancelled', position: null })
      }
      if (current?.runId !== runId) throw notHere(runId, 'not running')
      if (current.isStopping) current.child.kill()
      else current.child.tell({ type: 'stop' })
      current.isStopping = true
      tellQueue()
    },
    resume(runId) {
      const { run, store, folder } = home.find(runId)
      if (this.isActive(runId)) throw notHere(runId, 'waiting or running')
      if (run.outcome === 'done') throw notHere(runId, 'done')
      const verb = findKind(run.kind, runId)
      const config = parseStored(verb, run)
      if (!isWorthKeeping(store, run)) throw notHere(runId, 'without anything to go on from')
      const kind = run.kind as JobKindName
      const request = { kind, config, isResumed: true, command: run.command, folder }
      enqueue({ runId, request, askedAt: Date.now() })
    },
    move(runId, position) {
      const index = waiting.findIndex((each) => each.runId === runId)
      if (index < 0) throw notHere(runId, 'not waiting')
      const [moved] = waiting.splice(index, 1)
      waiting.splice(position - 1, 0, moved!)
      home.workbench.placeWaiting(waiting.map((each) => each.runId))
      tellQueue()
    },
    isActive: (runId) => current?.runId === runId || waiting.some((each) => each.runId === runId),
    isBusy: (folder) => current?.request.folder === folder,
    list() {
      const active = activeViews()
      const ids = new Set(active.map(({ runId }) => runId))
      return [...active, ...refused, ...endedViews(home, ids, current?.request.folder)]
    },
    async close() {
      isClosing = true
      const { child } = current ?? {}
      child?.tell({ type: 'stop' })
      const timer = setTimeout(() => child?.kill(), PATIENCE_MS)
      await child?.ended
      clearTimeout(timer)
    },
  }
}

const notHere = (run: string, status: string) =>
  new TouchstoneError('job.not-here', { run, status })

/** Until the job says its own. */
const titleOf = ({ kind, config }: JobRequest) =>
  `${titleOfKind(kind)} of ${(config as { model?: string | null }).model ?? 'a testbed'}`

const blank = ({ runId, request, askedAt }: Waiting) => ({
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

const waitingView = (job: Waiting, position: number): JobView => ({
  ...blank(job),
  status: 'queued',
  position,
})

function currentView(job: Current): JobView {
  const { state, isStopping, request } = job
  const going = isStopping ? 'stopping' : 'running'
  if (!state) return { ...blank(job), status: going }
  // It has said its last word, and its process is about to end.
  const status = state.status === 'running' ? going : state.status
  const { title, phases, startedAt, at } = state
  return {
    ...blank(job),
    status,
    startedAt,
    at,
    seq: job.seq,
    phases: [...phases],
    title: title === '' ? titleOf(request) : title,
  }
}

function refusedView(job: Current, how: string | null): JobView {
  const died = { what: 'ran this job', how: how ?? 'it ended before it began' }
  const { code, message, remedy } = new TouchstoneError('engine.process-died', died)
  const error = job.refusal ?? { code, message, remedy }
  return { ...blank(job), status: 'failed', error }
}

function endedView({ run, store }: Pick<FoundRun, 'run' | 'store'>, isWritten: boolean): JobView {
  const status = run.outcome ?? (isWritten ? 'running' : 'interrupted')
  const isOurs = Object.hasOwn(KINDS, run.kind)
  return {
    runId: run.id,
    kind: run.kind,
    title: run.title,
    command: run.command,
    status,
    position: null,
    phases: [],
    error: run.error,
    startedAt: run.startedAt,
    at: run.endedAt ?? run.startedAt,
    seq: store.lastSeq(run.id),
    canResume: !isWritten && isOurs && run.outcome !== 'done' && isWorthKeeping(store, run),
  }
}

/** The newest, without those that are `active` here. The lock on the folder `ours` is our own job's. */
function endedViews(home: Home, active: ReadonlySet<string>, ours: string | undefined): JobView[] {
  const found = home.folders().flatMap((folder) => {
    const store = home.store(folder)
    const written = folder === ours ? undefined : writtenRun(folder, store)
    return store.runs().map((run) => ({ run, store, isWritten: run.id === written }))
  })
  return found
    .filter(({ run }) => !active.has(run.id) && home.workbench.note(run.id).deletedAt === null)
    .sort((a, b) => b.run.startedAt - a.run.startedAt)
    .slice(0, MOST_ENDED)
    .map((each) => endedView(each, each.isWritten))
}
