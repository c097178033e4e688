/** @file The test of a claim whose prompts depend on each other in clusters: the cluster is the unit. */
import type { Assumption, ClusterFacts } from '../../../contract/gate.ts'
import { counted } from '../../../contract/words.ts'
import { clusteredMean } from '../../../statistics/clusters.ts'
import {
  dependentMarginTests,
  leastClusters,
  PASSES_FROM,
} from '../../../statistics/paired/dependent.ts'
import { marginTests } from '../../../statistics/paired/non-inferiority.ts'
import {
  changesOf,
  isClustered,
  labelsOf,
  repeatedDifference,
  type PromptPair,
} from '../../../statistics/repeated.ts'
import type { ClaimTest, Evidence } from './evidence.ts'
import { zAt } from '../looks/at-look.ts'
import type { Clusters } from '../clusters.ts'

/** Null where no two prompts are of one cluster. */
export function byClusters({ paired, prompts, margin, look }: Evidence): ClaimTest | null {
  const facts = factsOf(prompts)
  if (!facts) return null
  const { rises } = paired.measure
  const harms = rises
    ? prompts.map((each) => ({ ...each, before: each.after, after: each.before }))
    : prompts
  const tests = dependentMarginTests(harms, margin)
  const interval = repeatedDifference(harms, zAt(look))
  if (!tests || !interval) return null
  const { lower, upper } = interval
  // The size of that test is shown by simulation from this many clusters on.
  const below = facts.clusters < PASSES_FROM ? byWholeClusters(harms, facts, margin) : tests.below
  const { source } = paired.clusters
  return {
    ...tests,
    below,
    lower,
    upper,
    method: 'clusters',
    clusters: { ...facts, isProposed: source === 'proposed' },
    assumptions: [unitsOf(paired.clusters, facts)],
  }
}

/**
 * p of "the harm is at least the margin" where clusters are few: exact, with each cluster one unit that is harmed if any of its
 * prompts is. That is at least a cluster's mean harm, so the size stays below α however alike prompts of a cluster are. Clusters
 * of unequal size count as Kish's number of equal ones, those harmed by their share of prompts.
 */
function byWholeClusters(harms: readonly PromptPair[], { worth }: Facts, margin: number): number {
  const labels = labelsOf(harms)
  const isHarmed = ({ before, after }: PromptPair) => before.some((was, i) => was > after[i]!)
  const harmed = new Set(labels.filter((_, i) => isHarmed(harms[i]!)))
  const share = labels.filter((label) => harmed.has(label)).length / labels.length
  const n = Math.floor(worth + 1e-9)
  const lost = Math.min(n, Math.ceil(share * n - 1e-9))
  return marginTests({ lost, gained: 0, n }, margin)?.below ?? 1
}

type Facts = Omit<ClusterFacts, 'isProposed'>

function factsOf(prompts: readonly PromptPair[]): Facts | undefined {
  if (!isClustered(prompts)) return undefined
  const labels = labelsOf(prompts)
  const clusters = new Set(labels).size
  const { lost, gained, changes } = changesOf(prompts)
  const mean = clusteredMean(changes, labels)
  if (!mean) return { clusters, worth: 1, icc: null, designEffect: null }
  const independent = (lost + gained - (lost - gained) ** 2) / prompts.length
  return {
    clusters,
    worth: mean.atLeast,
    icc: mean.icc,
    designEffect: independent > 0 ? mean.variance / independent : null,
  }
}

function unitsOf({ source, doubt }: Clusters, { clusters, icc, designEffect }: Facts): Assumption {
  const units = counted(clusters, 'cluster')
  const measured =
    icc === null || designEffect === null
      ? 'nothing varies, so that prompts of a cluster are taken as all alike'
      : variation(icc, designEffect)
  const named =
    source === 'proposed'
      ? `prompts of one template and near-duplicates are taken as clusters, none being named; ${units}`
      : units
  return {
    name: 'units',
    state: doubt === undefined ? 'checked' : 'assumed',
    how: `${named} are independent of one another (${measured})${doubted(doubt)}`,
  }
}

const variation = (icc: number, designEffect: number) =>
  `ICC ${icc.toFixed(2).replace('-', '−')}, design effect ${designEffect.toFixed(2)}`

const doubted = (doubt: string | undefined) =>
  doubt === undefined ? '' : `, which is not shown: ${doubt}`

const FOUND: Readonly<Record<'none' | 'unknown', string>> = {
  none: 'no clusters are named and their texts show neither templates nor near-duplicates',
  unknown: 'no clusters are named and there are no texts to look for templates in',
}

/** Where prompts are the units. */
export const promptsAsUnits = ({ source, doubt }: Clusters): Assumption => ({
  name: 'units',
  state: source === 'named' && doubt === undefined ? 'checked' : 'assumed',
  how: `prompts are taken as independent of one another; ${source === 'none' || source === 'unknown' ? FOUND[source] : 'each is a cluster of its own'}${doubted(doubt)}`,
})

/** " in 48 clusters, ICC 0.21, design effect 1.84", after a number of prompts; empty where prompts are the units. */
export function clustersText(facts: ClusterFacts | undefined): string {
  if (!facts) return ''
  const { clusters, icc, designEffect } = facts
  const varies = icc === null || designEffect === null ? '' : `, ${variation(icc, designEffect)}`
  return ` in ${counted(clusters, 'cluster')}${varies}`
}

/** Why no result of so few clusters could pass, and how many could; empty where some could. */
export function clustersNeeded(
  facts: ClusterFacts | undefined,
  { margin, alpha }: { readonly margin: number; readonly alpha: number },
): string {
  if (!facts) return ''
  const needed = leastClusters(margin, alpha)
  if ((1 - margin) ** Math.floor(facts.worth + 1e-9) <= alpha) return ''
  const worth = Math.floor(facts.worth)
  return `; ${counted(facts.clusters, 'cluster')} worth ${worth} of equal size cannot show it, ${needed} could`
}
