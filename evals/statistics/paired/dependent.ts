/**
 * @file Tests against a margin where prompts were answered several times or depend on each other in clusters.
 *
 * The exact test on n* equivalent prompts (effectiveChange), with two bounds from below. (1) (1 − δ)^K, with Kish's number K of
 * clusters that are each wholly harmed or not: the chance of no harm at all at the margin, which no smaller observed harm can
 * beat. (2) For clusters, Fisher's sign-flip test of Σ z = 0, z_g = (harm in cluster g) − n_g δ; under flips it orders outcomes as
 * the t of the z does, so it is studentised (Fisher, "The Design of Experiments", 1935, §21; Lehmann and Romano, "Testing
 * Statistical Hypotheses", §15.2).
 */
import { clusterSums } from '../clusters.ts'
import { fillFirstBits } from '../random.ts'
import { changesOf, effectiveChange, labelsOf, type PromptPair } from '../repeated.ts'
import { marginTests, type MarginTests } from './non-inferiority.ts'

/** The size of the test was simulated from this many clusters on (docs/evidence.md); with fewer a PASS would not be known to hold. */
export const PASSES_FROM = 30

/** The fewest clusters of equal size with which the harm can be shown to be below the margin, where no prompt is harmed. */
export const leastClusters = (margin: number, alpha: number): number =>
  Math.max(PASSES_FROM, Math.ceil(Math.log(alpha) / Math.log1p(-margin) - 1e-9))

/** Clusters up to which all 2^G sign flips are counted; beyond, they are sampled. */
const ENUMERATED = 13
const DRAWS = 9_999

/** Both tests of the harm, before − after; null without prompts. */
export function dependentMarginTests(
  prompts: readonly PromptPair[],
  margin: number,
): MarginTests | null {
  const below = marginTests(effectiveChange(prompts, 'more'), margin)
  const above = marginTests(effectiveChange(prompts, 'less'), margin)
  if (!below || !above) return null
  const { changes } = changesOf(prompts)
  const groups = clusterSums(changes, labelsOf(prompts))
  const squares = groups.reduce((sum, { size }) => sum + size * size, 0)
  const isClustered = groups.length < changes.length
  const isDependent = isClustered || prompts.some(({ before }) => before.length > 1)
  const least = isDependent ? (1 - margin) ** (changes.length ** 2 / squares) : 0
  const flips = isClustered
    ? signFlips(groups.map(({ sum, size }) => sum - size * margin))
    : { below: 0, above: 0 }
  return {
    below: Math.max(below.below, least, flips.below),
    above: Math.max(above.above, flips.above),
    method: below.method,
  }
}

/** P[Σ ±z ≤ Σ z] and P[Σ ±z ≥ Σ z] over sign flips, exact or from 9,999 seeded draws. */
export function signFlips(z: readonly number[]): { below: number; above: number } {
  const seen = z.reduce((sum, value) => sum + value, 0)
  const tie = 1e-9 * z.reduce((sum, value) => sum + Math.abs(value), 0)
  const isExact = z.length <= ENUMERATED
  if (!isExact && isOutOfReach(seen, z)) {
    return seen < 0 ? { below: 1 / (DRAWS + 1), above: 1 } : { below: 1, above: 1 / (DRAWS + 1) }
  }
  const sums = isExact ? everySum(z) : drawnSums(z)
  // Drawn flips are joined by the observed signs, so that no p is 0.
  let [below, above] = isExact ? [0, 0] : [1, 1]
  for (const sum of sums) {
    if (sum <= seen + tie) below++
    if (sum >= seen - tie) above++
  }
  const all = isExact ? sums.length : sums.length + 1
  return { below: below / all, above: above / all }
}

/** P[Σ ±z ≥ s] ≤ exp(−s²/(2 Σ z²)) (Hoeffding, JASA 58 (1963), theorem 2): at exp(−40) no draw of 9,999 comes as far. */
const OUT_OF_REACH = 40

const isOutOfReach = (seen: number, z: readonly number[]): boolean =>
  seen * seen > 2 * OUT_OF_REACH * z.reduce((sum, value) => sum + value * value, 0)

const everySum = (z: readonly number[]): Float64Array =>
  Float64Array.from({ length: 2 ** z.length }, (_, flip) =>
    z.reduce((sum, value, g) => sum + (1 - 2 * ((flip >> g) % 2)) * value, 0),
  )

/** Clusters whose signs are one byte. */
const BYTE = 8

/** Σ ±z of each draw: the 2⁸ sums of eight clusters are computed once for all draws. */
function drawnSums(z: readonly number[]): Float64Array {
  const signs = drawnSigns(z.length)
  const sums = new Float64Array(DRAWS)
  const partial = new Float64Array(2 ** BYTE)
  for (let from = 0; from < z.length; from += BYTE) {
    const own = z.slice(from, from + BYTE)
    // A set bit is a minus.
    partial[0] = own.reduce((sum, value) => sum + value, 0)
    own.forEach((value, bit) => {
      const half = 1 << bit
      for (let signed = 0; signed < half; signed++)
        partial[half + signed] = partial[signed]! - 2 * value
    })
    const column = (from / BYTE) * DRAWS
    for (let flip = 0; flip < DRAWS; flip++) sums[flip]! += partial[signs[column + flip]!]!
  }
  return sums
}

/** The last ones, as claims on one benchmark, and searches for a number of replies, have the same clusters. */
const known = new Map<number, Uint8Array>()
const MOST_KNOWN = 4

/** By eight clusters, then by draw. */
function drawnSigns(clusters: number): Uint8Array {
  const found = known.get(clusters) ?? newSigns(clusters)
  known.delete(clusters)
  known.set(clusters, found)
  if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
  return found
}

function newSigns(clusters: number): Uint8Array {
  const signs = new Uint8Array(Math.ceil(clusters / BYTE) * DRAWS)
  const bits = new Uint8Array(clusters)
  for (let flip = 0; flip < DRAWS; flip++) {
    fillFirstBits(bits, { seed: 0, label: 'cluster sign flips', position: flip * clusters })
    for (let g = 0; g < clusters; g++) {
      signs[Math.floor(g / BYTE) * DRAWS + flip]! |= bits[g]! << (g % BYTE)
    }
  }
  return signs
}
