/** @file One run's numbers and log lines, from its beginning and then as they come. */
import { onScopeDispose, ref, shallowRef, watch, type Ref, type ShallowRef } from 'vue'
import type { WireError } from '../../evals/contract/wire-error.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import type { MetricRow } from '../../evals/contract/rows.ts'
import { engine } from '../client.ts'
import { toWireError } from '../errors.ts'
import { useFeedStore } from '../stores/feed.ts'

export type LogLine = JobEvent & { type: 'log' }

interface RunEvents {
  readonly metrics: ShallowRef<readonly MetricRow[]>
  readonly log: ShallowRef<readonly LogLine[]>
  /** How many evaluations of a model state on a benchmark are in. */
  readonly evaluations: Ref<number>
  readonly error: ShallowRef<WireError | undefined>
}

const WANTED = ['metric', 'log', 'evaluation-end'] as const

export function useRunEvents(runId: Ref<string | undefined>): RunEvents {
  const metrics = shallowRef<readonly MetricRow[]>([])
  const log = shallowRef<readonly LogLine[]>([])
  const evaluations = ref(0)
  const error = shallowRef<WireError>()
  let seen = 0
  let catchingUp: Promise<void> | undefined

  function take(events: readonly JobEvent[]): void {
    const fresh = events.filter((event) => event.runId === runId.value && event.seq > seen)
    const last = fresh.at(-1)
    if (!last) return
    seen = last.seq
    const rows = fresh.flatMap((event) => (event.type === 'metric' ? [event.row] : []))
    const lines = fresh.filter((event): event is LogLine => event.type === 'log')
    if (rows.length > 0) metrics.value = [...metrics.value, ...rows]
    evaluations.value += fresh.filter(({ type }) => type === 'evaluation-end').length
    if (lines.length > 0) log.value = [...log.value, ...lines]
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
      // A job that waits, or has only just begun, has said nothing yet.
      error.value = told.code === 'run.not-found' ? undefined : told
    }
  }

  function follow(id: string | undefined): void {
    seen = 0
    metrics.value = []
    log.value = []
    evaluations.value = 0
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
    // What is said while the past is still read is in the past by then.
    events: (events) => {
      if (catchingUp) void catchingUp.then(() => take(events))
      else take(events)
    },
    gap: () => {
      if (runId.value !== undefined) again(runId.value)
    },
  })
  onScopeDispose(stop)
  return { metrics, log, evaluations, error }
}
