/**
 * @file The change of a rate on the same prompts. With one reply per prompt: Newcombe's interval and the exact McNemar test.
 * With more, or with clusters: their versions with prompts or clusters as units (repeated.ts, sign-flip.ts).
 */
import { mcNemarExact, mcNemarMidP, newcombePaired, type PairedCounts } from './paired.ts'
import { tangoInterval } from './non-inferiority.ts'
import { Z95, type Interval } from '../proportion.ts'
import { isClustered, repeatedDifference, type PromptPair } from '../repeated.ts'
import { signFlipTest } from './sign-flip.ts'

/** Pairs of replies that counted both times (a), before only (b), after only (c), never (d), and their number `n`. */
export interface PairedChangeOfRate extends PairedCounts {
  readonly n: number
  readonly prompts: number
  readonly isRepeated: boolean
  /** The rates, and `difference` = before − after with its limits; null without pairs. */
  readonly before: number | null
  readonly after: number | null
  readonly difference: number | null
  readonly lower: number | null
  readonly upper: number | null
  /** Exact, two-sided; 1 if nothing changed. */
  readonly pValue: number
  /** McNemar's mid-p; null with several replies per prompt or with clusters. */
  readonly midP: number | null
  /** Tango's score interval for the difference; null with several replies per prompt, with clusters and without pairs. */
  readonly score: Interval | null
}

/** Each prompt has as many replies before as after, at least one, paired in order. */
export function pairedChange(prompts: readonly PromptPair[], z = Z95): PairedChangeOfRate {
  const counts = countsOf(prompts)
  const { a, b, c, d } = counts
  const n = a + b + c + d
  const isRepeated = prompts.some(({ before }) => before.length > 1)
  const isDependent = isRepeated || isClustered(prompts)
  const head = { ...counts, n, prompts: prompts.length, isRepeated }
  const repeated = isDependent ? repeatedDifference(prompts, z) : null
  if (repeated)
    return { ...head, ...repeated, pValue: signFlipTest(prompts), midP: null, score: null }
  return {
    ...head,
    before: n === 0 ? null : (a + b) / n,
    after: n === 0 ? null : (a + c) / n,
    ...newcombePaired(counts, z),
    pValue: mcNemarExact(b, c),
    midP: mcNemarMidP(b, c),
    score: tangoInterval({ lost: b, gained: c, n }, z),
  }
}

function countsOf(prompts: readonly PromptPair[]): PairedCounts {
  const counts = { a: 0, b: 0, c: 0, d: 0 }
  for (const { before, after } of prompts) {
    before.forEach((was, i) => {
      if (after[i]! > 0) counts[was > 0 ? 'a' : 'c']++
      else counts[was > 0 ? 'b' : 'd']++
    })
  }
  return counts
}
