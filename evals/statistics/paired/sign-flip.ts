/**
 * @file Fisher's randomisation test on the same prompts before and after: if each prompt's replies were exchanged between
 * before and after with probability ½, how often would |Σ d| be as large as observed? (Fisher, "The Design of Experiments",
 * 1935, §21; Pitman 1937.)
 *
 * d is a prompt's mean before minus its mean after. With one reply per prompt d is −1, 0 or 1, and this is the exact McNemar
 * test. Prompts of one cluster are exchanged together, so that d is summed over each cluster.
 */
import { clusterSums } from '../clusters.ts'
import { labelsOf, type PromptPair } from '../repeated.ts'
import { fillFirstBits } from '../random.ts'

/** Additions up to which the exact distribution is computed (under a second); beyond, it is sampled. */
const MOST_ADDITIONS = 2e8
const DRAWS = 9_999

/** Two-sided p, exact if feasible, else from 9,999 seeded draws; 1 if nothing changed. */
export function signFlipTest(prompts: readonly PromptPair[]): number {
  const changes = wholeChanges(prompts)
  const sizes = changes.map(Math.abs)
  const total = sizes.reduce((sum, size) => sum + size, 0)
  const seen = Math.abs(changes.reduce((sum, change) => sum + change, 0))
  if (seen === 0) return 1
  return total * sizes.length <= MOST_ADDITIONS ? counted(sizes, total, seen) : drawn(sizes, seen)
}

/** The clusters' nonzero changes as integers in their largest common unit. */
function wholeChanges(prompts: readonly PromptPair[]): number[] {
  const parts = prompts.flatMap(({ before, after }) => [before.length, after.length])
  const unit = parts.reduce((all, part) => (all / commonFactor(all, part)) * part, 1)
  const whole = (scores: readonly number[]) =>
    (scores.reduce((sum, x) => sum + x, 0) * unit) / scores.length
  const each = prompts.map(({ before, after }) => Math.round(whole(before) - whole(after)))
  const changes = clusterSums(each, labelsOf(prompts))
    .map(({ sum }) => sum)
    .filter((change) => change !== 0)
  const factor = changes.reduce((all, change) => commonFactor(all, Math.abs(change)), 0)
  return changes.map((change) => change / factor)
}

/** P[|Σ ±size| ≥ seen], from the distribution of the sum of the sizes that keep their sign. */
function counted(sizes: readonly number[], total: number, seen: number): number {
  const chances = new Float64Array(total + 1)
  chances[0] = 1
  let reached = 0
  for (const size of sizes) {
    reached += size
    for (let sum = reached; sum >= 0; sum--) {
      chances[sum] = (chances[sum]! + (sum >= size ? chances[sum - size]! : 0)) / 2
    }
  }
  // Σ ±size = 2 (kept) − total, whose distribution is symmetric.
  let tail = 0
  for (let kept = 0; 2 * kept <= total - seen; kept++) tail += chances[kept]!
  return Math.min(1, 2 * tail)
}

function drawn(sizes: readonly number[], seen: number): number {
  const bits = new Uint8Array(sizes.length)
  let asFar = 1
  for (let i = 0; i < DRAWS; i++) {
    fillFirstBits(bits, { seed: 0, label: 'sign flips', position: i * sizes.length })
    let sum = 0
    for (let g = 0; g < sizes.length; g++) sum += bits[g] === 0 ? sizes[g]! : -sizes[g]!
    if (Math.abs(sum) >= seen) asFar++
  }
  return asFar / (DRAWS + 1)
}

function commonFactor(a: number, b: number): number {
  return b === 0 ? a : commonFactor(b, a % b)
}
