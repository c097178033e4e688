/**
 * @file The one place where evidence becomes p-values. A test takes the pairs of a question and gives both p-values, an interval
 * and what it assumes; the first that knows the evidence is asked: labels, clusters, prompts. docs/decisions/gate.md says how
 * claims compose.
 */
import { byClusters } from './by-clusters.ts'
import { byLabels, levelByLabels } from './by-labels.ts'
import { byPrompts } from './by-prompts.ts'
import type { ClaimTest, Evidence } from './evidence.ts'
import { isLastLook, pairedFactor, sequentialP } from '../../../statistics/sequential/look.ts'
import type { ClaimLook } from '../looks/at-look.ts'

/** Null where there are no prompts. */
export function testClaim(evidence: Evidence): ClaimTest | null {
  const tests = testOnce(evidence)
  return tests && evidence.look ? atLook(tests, evidence, evidence.look) : tests
}

function testOnce(evidence: Evidence): ClaimTest | null {
  const units = byClusters(evidence) ?? byPrompts(evidence)
  return byLabels(evidence, units) ?? units
}

/** Both p-values with what earlier looks have spent, or may have. */
function atLook(tests: ClaimTest, evidence: Evidence, look: ClaimLook): ClaimTest {
  const factor = factorOf(tests, evidence, look)
  const above = isSettledEarly(look) ? aboveAtBest(evidence, look) : sequentialP(tests.above, look)
  return { ...tests, below: sequentialP(Math.min(1, tests.below * factor), look), above }
}

/** Exact where prompts are the units of the exact test; elsewhere the table of as many units may only make a PASS harder. */
function factorOf({ clusters, method }: ClaimTest, { prompts, margin }: Evidence, look: ClaimLook) {
  const units = clusters?.clusters ?? prompts.length
  const factor = pairedFactor(look, { units, margin, alpha: look.alpha })
  const isExact = method === 'exact' && prompts.every(({ before }) => before.length === 1)
  return isExact ? factor : Math.max(1, factor)
}

/** By curtailment nothing is shown before the last look but what every further reply, were it mended, would leave. */
const isSettledEarly = (look: ClaimLook) => look.spending === 'curtailment' && !isLastLook(look)

function aboveAtBest(evidence: Evidence, { left }: ClaimLook): number {
  if (left === null) return 1
  const { rises } = evidence.paired.measure
  const mended = { before: [Number(rises)], after: [Number(!rises)] }
  const rest = Array.from({ length: left }, () => mended)
  return testOnce({ ...evidence, prompts: [...evidence.prompts, ...rest] })?.above ?? 1
}

/** Of the rate after, by labels of both states; null without them. */
export const testLevel = (evidence: Evidence) =>
  levelByLabels(evidence, () => byClusters(evidence)?.clusters)
