/**
 * @file The one place where evidence becomes p-values. A test takes the pairs of a question and gives both p-values, an interval
 * and what it assumes; the first that knows the evidence is asked: labels, clusters, prompts. docs/decisions/gate.md says how
 * claims compose.
 */
import { byClusters } from './by-clusters.ts'
import { byLabels, levelByLabels } from './by-labels.ts'
import { byPrompts } from './by-prompts.ts'
import type { ClaimTest, Evidence } from './evidence.ts'

/** Null where there are no prompts. */
export function testClaim(evidence: Evidence): ClaimTest | null {
  const units = byClusters(evidence) ?? byPrompts(evidence)
  return byLabels(evidence, units) ?? units
}

/** Of the rate after, by labels of both states; null without them. */
export const testLevel = (evidence: Evidence) =>
  levelByLabels(evidence, byClusters(evidence)?.clusters)
