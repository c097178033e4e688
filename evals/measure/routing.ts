/** @file How a mixture routes the prompts of each benchmark, so that those that should be refused stand beside the others. */
import type { JobContext } from '../contract/job.ts'
import { routerMetrics, type SubjectKey } from '../contract/rows.ts'
import type { ModelState } from '../inference/cached-graph.ts'
import { renderPrompt } from '../inference/prompt.ts'
import { openRouting, type Routed } from '../inference/probes/routing.ts'
import { isEncoder } from '../models/registry.ts'
import { bootstrapMean } from '../statistics/bootstrap.ts'
import { LONGEST, type Base } from './base.ts'
import type { PreparedBenchmark } from './benchmark-sources.ts'
import { isDue, type EvaluationPlan } from './evaluate.ts'

/** Under which it is recorded as measured. */
const ROUTING = 'routing'
const DRAWS = { seed: 0, resamples: 2000 }

export async function measureRouting(
  base: Base,
  state: ModelState,
  key: SubjectKey,
  plan: EvaluationPlan,
  { emit, flush, signal }: JobContext,
): Promise<void> {
  if (isEncoder(base.model) || !isDue(plan, key, ROUTING)) return
  const session = await openRouting(state, base.device, LONGEST)
  try {
    for (const prepared of plan.benchmarks) {
      const routed: Routed[] = []
      for (const ids of await promptsOf(base, prepared)) {
        signal.throwIfAborted()
        routed.push(await session.route(ids))
      }
      for (const [name, value] of metricsOf(prepared, routed))
        emit({ type: 'metric', row: { ...key, name, value } })
    }
  } finally {
    await session.release()
  }
  const samples = plan.benchmarks.reduce((sum, each) => sum + each.samples.length, 0)
  emit({ type: 'evaluation-end', subject: key, benchmark: ROUTING, samples })
  flush()
}

async function promptsOf({ open }: Base, { samples }: PreparedBenchmark): Promise<number[][]> {
  const texts = await Promise.all(samples.map(({ messages }) => renderPrompt(open, messages)))
  return texts.map(({ text }) => [...open.tokenizer.encode(text)])
}

function metricsOf(
  { benchmark }: PreparedBenchmark,
  routed: readonly Routed[],
): [string, number][] {
  if (routed.length === 0) return []
  const names = routerMetrics(benchmark.name)
  const found = bootstrapMean(
    routed.map(({ entropy }) => [entropy]),
    DRAWS,
  )
  const shares = routed[0]!.shares.map(
    (_, i) => routed.reduce((sum, each) => sum + each.shares[i]!, 0) / routed.length,
  )
  return [
    [names.entropy, found.estimate!],
    [names.lower, found.lower!],
    [names.upper, found.upper!],
    ...shares.map((share, i): [string, number] => [names.share(i), share]),
  ]
}
