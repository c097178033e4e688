/**
 * @file The one place where evidence becomes p-values. A test takes the pairs of a question and gives both p-values, an interval
 * and what it assumes; the first of `TESTS` that knows the evidence is asked. docs/decisions/gate.md says how claims compose.
 */
import { marginTests } from '../../statistics/paired/non-inferiority.ts'
import { dependentMarginTests } from '../../statistics/paired/dependent.ts'
import { pairedChange } from '../../statistics/paired/paired-change.ts'
import type { PromptPair } from '../../statistics/repeated.ts'
import { byClusters, promptsAsUnits } from './by-clusters.ts'
import type { ClaimTest, Evidence } from './evidence.ts'
import type { Measure } from './outcomes.ts'

/** Null where the test is not for this evidence, or there are no prompts. */
type Test = (evidence: Evidence) => ClaimTest | null

/** In order of what they take into account. */
const TESTS: readonly Test[] = [byClusters, byPrompts]

export function testClaim(evidence: Evidence): ClaimTest | null {
  for (const test of TESTS) {
    const found = test(evidence)
    if (found) return found
  }
  return null
}

/** Prompts as independent units. Several replies to a prompt count by their effective number. */
function byPrompts({ paired, prompts, margin }: Evidence): ClaimTest | null {
  const { measure } = paired
  const tests = prompts.every(({ before }) => before.length === 1)
    ? marginTests(harmCounts(measure, prompts), margin)
    : repeatedTests(measure, prompts, margin)
  const { lower, upper } = pairedChange(prompts)
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
