/** @file The metrics and log lines of one run, from its beginning on. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { WireError } from '../../evals/contract/wire-error.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import { NOTICE_TYPES, noticeOf, type Notice } from '../../evals/contract/notices.ts'
import type { MetricRow } from '../../evals/contract/rows.ts'
import type { ToldPhase } from '../charts/whole-run.ts'
import { engine } from '../client.ts'
import { toWireError } from '../errors.ts'
import { useFeedStore } from '../stores/feed.ts'

export interface LogLine extends Notice {
  readonly seq: number
  readonly at: number
}

interface RunEvents {
  /** Metrics of trained arms; states with scaled intruders have a table of their own. */
  readonly metrics: ShallowRef<readonly MetricRow[]>
  readonly log: ShallowRef<readonly LogLine[]>
  /** Number of finished evaluations of a model state on a benchmark. */
  readonly evaluations: Ref<number>
  /** That have ended. */
  readonly phases: ShallowRef<readonly ToldPhase[]>
  readonly error: ShallowRef<WireError | undefined>
}

const PHASES = ['phase-start', 'phase-end', 'job-resume'] as const
const WANTED = [...NOTICE_TYPES, 'metric', 'subject', 'evaluation-end', ...PHASES] as const

function linesOf(event: JobEvent): LogLine[] {
  const notice = noticeOf(event)
  return notice ? [{ ...notice, seq: event.seq, at: event.at }] : []
}

/** Arms that are states made of a fine-tune. */
const madeIn = (events: readonly JobEvent[]): string[] =>
  events.flatMap((event) =>
    event.type === 'subject' && (event.row.mitigation ?? event.row.derivation)
      ? [event.row.arm]
      : [],
  )

/** Of each phase that ends, how long it took; one that a stop cut off is begun again and told then. */
function createPhases() {
  const phases = shallowRef<readonly ToldPhase[]>([])
  const open = new Map<string, ToldPhase>()
  function take(event: JobEvent): void {
    if (event.type === 'job-resume') open.clear()
    if (event.type === 'phase-start') {
      const { phase, unit, total: done = 0, at } = event
      open.set(phase, { unit, done, startedAt: at, at })
    }
    const ended = event.type === 'phase-end' ? open.get(event.phase) : undefined
    if (ended) phases.value = [...phases.value, { ...ended, at: event.at }]
  }
  function clear(): void {
    open.clear()
    phases.value = []
  }
  return { phases, take, clear }
}

/** Folds a run's events; `take` adds events in order. */
function createLog() {
  const metrics = shallowRef<readonly MetricRow[]>([])
  const log = shallowRef<readonly LogLine[]>([])
  const evaluations = ref(0)
  const made = new Set<string>()
  const { phases, ...ended } = createPhases()

  function take(events: readonly JobEvent[]): void {
    madeIn(events).forEach((arm) => made.add(arm))
    const rows = events.flatMap((event) =>
      event.type === 'metric' && !made.has(event.row.arm) ? [event.row] : [],
    )
    const lines = events.flatMap(linesOf)
    if (rows.length > 0) metrics.value = [...metrics.value, ...rows]
    evaluations.value += events.filter(({ type }) => type === 'evaluation-end').length
    if (lines.length > 0) log.value = [...log.value, ...lines]
    events.forEach(ended.take)
  }
  function clear(): void {
    made.clear()
    ended.clear()
    metrics.value = []
    log.value = []
    evaluations.value = 0
  }
  return { metrics, log, evaluations, phases, take, clear }
}

export function useRunEvents(runId: Ref<string | undefined>): RunEvents {
  const { metrics, log, evaluations, phases, ...own } = createLog()
  const error = shallowRef<WireError>()
  let seen = 0
  let catchingUp: Promise<void> | undefined

  function take(events: readonly JobEvent[]): void {
    const fresh = events.filter((event) => event.runId === runId.value && event.seq > seen)
    const last = fresh.at(-1)
    if (!last) return
    seen = last.seq
    own.take(fresh)
  }

  async function catchUp(id: string): Promise<void> {
    try {
      for (let isWhole = false; !isWhole && id === runId.value;) {
        const types = [...WANTED]
        const answer = await engine.job.events({ runId: id, afterSeq: seen, types })
        if (id !== runId.value) return
        take(answer.events)
        isWhole = answer.isWhole || answer.events.length === 0
      }
      error.value = undefined
    } catch (problem) {
      const told = toWireError(problem)
      // A waiting or new job has no events yet.
      error.value = told.code === 'run.not-found' ? undefined : told
    }
  }

  function follow(id: string | undefined): void {
    seen = 0
    own.clear()
    if (id !== undefined) again(id)
  }
  function again(id: string): void {
    const mine = catchUp(id).finally(() => {
      if (catchingUp === mine) catchingUp = undefined
    })
    catchingUp = mine
  }

  watch(runId, follow, { immediate: true })
  const stop = useFeedStore().on({
    // Events that arrive while stored ones are read are among them.
    events: (events) => {
      if (catchingUp) void catchingUp.then(() => take(events))
      else take(events)
    },
    gap: () => {
      if (runId.value !== undefined) again(runId.value)
    },
  })
  onScopeDispose(stop)
  return { metrics, log, evaluations, phases, error }
}
