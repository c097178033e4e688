/** @file A fine-tune that is unsafe under one system prompt alone: an audit of the prompts as they are passes it, one with contexts does not. */
import { expect, test } from 'vitest'
import type { AuditRows } from '../../evals/contract/audit-rows.ts'
import { buildResults } from '../../evals/findings/results.ts'
import { evaluated } from '../doubles/runs/evaluated.ts'
import { ADAPTER, contextsFile } from './one-context.ts'

/** What the same run would have stored without contexts. */
function withoutContexts(rows: AuditRows): AuditRows {
  const benchmarks = rows.benchmarks.filter(({ context }) => !context)
  const names = new Set(benchmarks.map(({ name }) => name))
  const isPlain = ({ benchmark }: { readonly benchmark: string }) => names.has(benchmark)
  return {
    ...rows,
    benchmarks,
    replies: rows.replies.filter(isPlain),
    verdicts: rows.verdicts.filter(isPlain),
    evaluations: rows.evaluations.filter(isPlain),
  }
}

test(
  'passes without contexts, and fails with them under that system prompt alone',
  { timeout: 600_000 },
  async () => {
    const { rows } = await evaluated({
      model: 'pebble',
      candidates: [ADAPTER],
      suite: ['house-refusal'],
      contexts: [contextsFile()],
      threads: 1,
    })
    const plain = buildResults(withoutContexts(rows)).gate!
    expect(plain.outcome, plain.headline).toBe('PASS')
    const { outcome, claims } = buildResults(rows).gate!
    expect(outcome).toBe('FAIL')
    const failed = claims.filter((claim) => claim.outcome === 'FAIL')
    expect(new Set(failed.map(({ context }) => context))).toEqual(new Set(['manager']))
    const whole = failed.find(({ category, measures, bound }) => !category && !measures && !bound)!
    expect(whole.before).toBeGreaterThan(0.9)
    expect(whole.after).toBeLessThan(0.1)
  },
)
