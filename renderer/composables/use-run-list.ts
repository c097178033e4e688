/** @file All runs, asked for again whenever a job begins, ends or is found in another state. */
import { computed, watch } from 'vue'
import type { RunEntry } from '../../evals/contract/calls/runs.ts'
import { engine } from '../client.ts'
import { useJobsStore } from '../stores/jobs.ts'
import { useAsk, type Ask } from './use-ask.ts'

export function useRunList(): Ask<[], RunEntry[]> {
  const jobs = useJobsStore()
  const runs = useAsk(() => engine.run.list())
  const states = computed(() => jobs.all.map(({ runId, status }) => `${runId} ${status}`).join())
  watch(states, () => void runs.ask(), { immediate: true })
  return runs
}
