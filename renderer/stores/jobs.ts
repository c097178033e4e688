/** @file Jobs by the engine's last description, and commands on them. */
import { defineStore } from 'pinia'
import { computed, ref, shallowRef } from 'vue'
import type { JobKindName } from '../../evals/contract/calls/catalog.ts'
import type { JobView } from '../../evals/contract/calls/jobs.ts'
import type { JobEvent } from '../../evals/contract/events.ts'
import { engine } from '../client.ts'
import { useFeedStore } from './feed.ts'
import { foldedJob } from './folded-job.ts'

const OPEN = new Set<JobView['status']>(['queued', 'running', 'stopping'])
const isOpen = ({ status }: JobView) => OPEN.has(status)

/** Running, waiting (in order) and ended jobs (newest first). */
function inOrder(a: JobView, b: JobView): number {
  const place = (job: JobView) => (isOpen(job) ? (job.position ?? 0) : Infinity)
  return place(a) === place(b) ? b.startedAt - a.startedAt : place(a) - place(b)
}

const listed = async () => new Map((await engine.job.list()).map((job) => [job.runId, job]))
const stop = (runId: string) => engine.job.stop({ runId })
const resume = (runId: string) => engine.job.resume({ runId })

export const useJobsStore = defineStore('jobs', () => {
  const byId = shallowRef<ReadonlyMap<string, JobView>>(new Map())
  const isLoaded = ref(false)
  /** The job that ended last while the window was open, for the screen reader's announcement. */
  const lastEnded = shallowRef<JobView>()

  const all = computed(() => [...byId.value.values()].sort(inOrder))
  const open = computed(() => all.value.filter(isOpen))
  const waiting = computed(() => all.value.filter(({ status }) => status === 'queued'))

  function apply(jobs: readonly JobView[]): void {
    const next = new Map(byId.value)
    for (const job of jobs) {
      const before = next.get(job.runId)
      if (before && isOpen(before) && !isOpen(job)) lastEnded.value = job
      next.set(job.runId, job)
    }
    byId.value = next
  }
  function fold(events: readonly JobEvent[]): void {
    const told = new Set(events.map(({ runId }) => runId))
    const known = [...told].flatMap((runId) => byId.value.get(runId) ?? [])
    apply(known.map((job) => foldedJob(job, events)))
  }
  async function load(): Promise<void> {
    byId.value = await listed()
    isLoaded.value = true
  }
  useFeedStore().on({ jobs: apply, events: fold, gap: () => void load() })

  async function start(kind: JobKindName, config: Record<string, unknown>): Promise<string> {
    const { runId } = await engine.job.start({ kind, config })
    await load()
    return runId
  }
  const move = (runId: string, position: number) => engine.job.move({ runId, position }).then(load)
  return { byId, isLoaded, all, open, waiting, lastEnded, load, start, stop, resume, move }
})
