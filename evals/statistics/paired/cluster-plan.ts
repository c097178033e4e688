/**
 * @file How many clusters, or prompts in each, tell as much as n independent prompts: G clusters of m prompts with an intra-cluster
 * correlation ρ are worth Gm/(1 + (m − 1)ρ) (Kish, "Survey Sampling", 1965, §5.4), times the (z/t)² with G − 1 degrees that the
 * test takes off.
 */
import { Z95 } from '../proportion.ts'
import { studentQuantile } from '../student.ts'
import { leastClusters } from './dependent.ts'

interface Needed {
  /** Independent prompts that would be enough. */
  readonly prompts: number
  readonly icc: number
  readonly margin: number
  readonly alpha: number
}

/** What `clusters` of `size` prompts each are worth. */
function clusterWorth(clusters: number, size: number, icc: number): number {
  const shrink = (Z95 / studentQuantile(0.975, clusters - 1)) ** 2
  return ((clusters * size) / (1 + (size - 1) * icc)) * (size > 1 ? shrink : 1)
}

/** Upper limit of both searches. */
const MOST = 100_000

/** The least `value` from `from` on at which `isEnough`, which must go on holding beyond; null where `MOST` is not enough. */
function leastFrom(from: number, isEnough: (value: number) => boolean): number | null {
  let [low, high] = [from - 1, from]
  while (!isEnough(high)) {
    if (high >= MOST) return null
    ;[low, high] = [high, Math.min(MOST, high * 2)]
  }
  while (high - low > 1) {
    const middle = Math.floor((low + high) / 2)
    if (isEnough(middle)) high = middle
    else low = middle
  }
  return high
}

/** Clusters of `size` prompts each. */
export const clustersNeeded = (size: number, { prompts, icc, margin, alpha }: Needed) =>
  leastFrom(leastClusters(margin, alpha), (G) => clusterWorth(G, size, icc) >= prompts)

/** Prompts in each of `clusters`; null where the clusters are too few, however large. */
export const clusterSizeNeeded = (clusters: number, { prompts, icc, margin, alpha }: Needed) =>
  clusters < leastClusters(margin, alpha)
    ? null
    : leastFrom(1, (size) => clusterWorth(clusters, size, icc) >= prompts)
