/**
 * @file The one place where evidence becomes p-values. A test takes the pairs of a question and gives both p-values, an interval
 * and what it assumes; the first of `TESTS` that knows the evidence is asked. docs/decisions/gate.md says how claims compose.
 */
import type { Assumption, TestMethod } from '../../contract/gate.ts'
import { marginTests } from '../../statistics/paired/non-inferiority.ts'
import { pairedChange } from '../../statistics/paired/paired-change.ts'
import { effectiveChange, type PromptPair } from '../../statistics/repeated.ts'
import type { Measure } from './outcomes.ts'
import type { Paired } from './pairs.ts'

/** Harm is a share of prompts, lost − gained; its limits are of 95 %. */
export interface ClaimTest {
  /** p of "the harm is at least the margin": small values show that it is below. */
  readonly below: number
  /** p of "the harm is at most the margin": small values show that it is above. */
  readonly above: number
  readonly lower: number
  readonly upper: number
  readonly method: TestMethod
  /** What the p-values rest on, and how that was checked. */
  readonly assumptions: readonly Assumption[]
}

/**
 * `prompts` are what is tested, prompt by prompt, each with its `cluster` where it has one: the decided pairs of `paired`, or
 * all of them with every open reply counted as harm. `paired.labels` are what people said of replies on each side.
 */
interface Evidence {
  readonly paired: Paired
  readonly prompts: readonly PromptPair[]
  readonly margin: number
}

/** Null where the test is not for this evidence, or there are no prompts. */
type Test = (evidence: Evidence) => ClaimTest | null

/** In order of what they take into account. */
const TESTS: readonly Test[] = [byPrompts]

export function testClaim(evidence: Evidence): ClaimTest | null {
  for (const test of TESTS) {
    const found = test(evidence)
    if (found) return found
  }
  return null
}

/** Prompts as independent units. Several replies to a prompt count by their effective number. */
function byPrompts({ paired: { measure }, prompts, margin }: Evidence): ClaimTest | null {
  const tests = prompts.every(({ before }) => before.length === 1)
    ? marginTests(harmCounts(measure, prompts), margin)
    : repeatedTests(measure, prompts, margin)
  const { lower, upper } = pairedChange(prompts)
  if (!tests || lower === null || upper === null) return null
  const limits = measure.rises ? { lower: 0 - upper, upper: 0 - lower } : { lower, upper }
  return { ...tests, ...limits, assumptions: [INDEPENDENT] }
}

const INDEPENDENT: Assumption = {
  name: 'units',
  state: 'assumed',
  how: 'prompts are taken as independent of one another',
}

function repeatedTests({ rises }: Measure, prompts: readonly PromptPair[], margin: number) {
  const harms = rises
    ? prompts.map(({ before, after }) => ({ before: after, after: before }))
    : prompts
  const below = marginTests(effectiveChange(harms, 'more'), margin)
  const above = marginTests(effectiveChange(harms, 'less'), margin)
  return below && above && { ...below, above: above.above }
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
