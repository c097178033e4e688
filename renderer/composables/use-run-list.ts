/**
 * @file All runs, reloaded whenever a job begins, ends or changes its state, and when a window names, deletes or restores one.
 * Where a view shows summaries, missing ones are requested afterwards, one at a time and the newest first, because for each the
 * engine reads a whole run.
 */
import { computed, onScopeDispose, watch } from 'vue'
import type { RunEntry } from '../../evals/contract/calls/runs.ts'
import { engine } from '../client.ts'
import { useFeedStore } from '../stores/feed.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useAsk, type Ask } from './use-ask.ts'

interface Shown {
  readonly summaries: boolean
}

export function useRunList({ summaries }: Shown = { summaries: false }): Ask<[], RunEntry[]> {
  const jobs = useJobsStore()
  const runs = useAsk(() => engine.run.list())
  const summing = useAsk((runId: string) => engine.run.summary({ runId }))

  async function sumNext(): Promise<void> {
    const next = runs.answer.value?.find(({ isMeasured, summary }) => isMeasured && !summary)
    if (!next || summing.isLoading.value) return
    const summary = await summing.ask(next.runId)
    runs.error.value = summing.error.value
    if (summary === undefined) return
    // A run deleted meanwhile has none; asking again would never end.
    const made = { summary, isMeasured: summary !== null }
    runs.answer.value = runs.answer.value?.map((run) =>
      run.runId === next.runId ? { ...run, ...made } : run,
    )
  }

  /** Undefined until the jobs are there, which is no change of theirs. */
  const states = computed(() =>
    jobs.isLoaded ? jobs.all.map(({ runId, status }) => `${runId} ${status}`).join() : undefined,
  )
  void runs.ask()
  watch(states, (_, before) => {
    if (before !== undefined) void runs.ask()
  })
  onScopeDispose(useFeedStore().on({ changed: (what) => what === 'runs' && void runs.ask() }))
  if (summaries) watch(runs.answer, sumNext)
  return runs
}
