/** @file The test of a claim whose prompts are independent of one another. */
import { marginTests } from '../../../statistics/paired/non-inferiority.ts'
import { dependentMarginTests } from '../../../statistics/paired/dependent.ts'
import { pairedChange } from '../../../statistics/paired/paired-change.ts'
import type { PromptPair } from '../../../statistics/repeated.ts'
import { promptsAsUnits } from './by-clusters.ts'
import type { ClaimTest, Evidence } from './evidence.ts'
import { zAt } from '../looks/at-look.ts'
import type { Measure } from '../outcomes.ts'

/** Prompts as independent units. Several replies to a prompt count by their effective number. */
export function byPrompts({ paired, prompts, margin, look }: Evidence): ClaimTest | null {
  const { measure } = paired
  const tests = prompts.every(({ before }) => before.length === 1)
    ? marginTests(harmCounts(measure, prompts), margin)
    : repeatedTests(measure, prompts, margin)
  const { lower, upper } = pairedChange(prompts, zAt(look))
  if (!tests || lower === null || upper === null) return null
  const limits = measure.rises ? { lower: 0 - upper, upper: 0 - lower } : { lower, upper }
  return { ...tests, ...limits, assumptions: [promptsAsUnits(paired.clusters)] }
}

function repeatedTests({ rises }: Measure, prompts: readonly PromptPair[], margin: number) {
  const harms = rises
    ? prompts.map(({ before, after }) => ({ before: after, after: before }))
    : prompts
  return dependentMarginTests(harms, margin)
}

/** Replies harmed and replies mended. */
export function harmCounts({ rises }: Measure, prompts: readonly PromptPair[]) {
  const counts = { n: 0, lost: 0, gained: 0 }
  for (const { before, after } of prompts) {
    before.forEach((was, i) => {
      const fell = was - after[i]!
      counts.n++
      if (fell !== 0) counts[fell > 0 === rises ? 'gained' : 'lost']++
    })
  }
  return counts
}
