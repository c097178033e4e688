/**
 * @file What a group-sequential comparison of one benchmark would do, exactly: the paired table carried from look to look with the
 * rules by which a run stops. p of an interim outcome is its score's normal tail, as exact p of every outcome would take minutes.
 */
import { normalLowerTail, normalQuantile } from '../normal.ts'
import { tangoScore } from '../paired/non-inferiority.ts'
import { chanceToReject, GIVEN_UP_AT, givingUpLevel } from './futility.ts'
import { levelAt, type Look } from './look.ts'
import { carriedTable, criticalScores } from './paired-table.ts'
import { spentBy, type Spending } from './spending.ts'

interface Design {
  readonly spending: Spending
  /** Prompts seen by each look, ascending. */
  readonly sizes: readonly number[]
  readonly margin: number
  readonly alpha: number
  readonly futility: number
  /** β that giving up may cost of the power at half a margin and at two. */
  readonly powerLoss: number
}

type Counts = Parameters<typeof tangoScore>[0]

interface Ends {
  /** P of a PASS, of a FAIL of this claim alone, and of neither. */
  readonly below: number
  readonly above: number
  readonly neither: number
  /** Mean number of prompts asked. */
  readonly prompts: number
}

/** Prompts up to which the looks' scores are made exact. */
const EXACT_UP_TO = 300

/** Of prompts that are lost and gained with these probabilities. */
export function endsOf(
  design: Design,
  change: { readonly lost: number; readonly gained: number },
): Ends {
  const { sizes, margin } = design
  const rules = rulesOf(design)
  const table = carriedTable(sizes.at(-1)!, change)
  const ends = { below: 0, above: 0, neither: 0, prompts: 0 }
  for (const [k, n] of sizes.entries()) {
    const { passUpTo, failFrom, isFutile } = rules[k]!
    table.advance(n)
    table.stopWhere((lost, gained, probability) => {
      const score = tangoScore({ lost, gained, n }, margin)
      const end = score <= passUpTo ? 'below' : score >= failFrom ? 'above' : 'neither'
      if (end === 'neither' && !isFutile(score, { lost, gained, n })) return false
      ends[end] += probability
      ends.prompts += probability * n
      return true
    })
  }
  return ends
}

/** The last, as one design is asked about several harms. */
let known: { readonly key: string; readonly scores: readonly number[] } | undefined

function exactScores(...given: Parameters<typeof criticalScores>): readonly number[] {
  const key = JSON.stringify(given)
  if (known?.key !== key) known = { key, scores: criticalScores(...given) }
  return known.scores
}

/** Rounding of scores. */
const TIE = 1e-9

function rulesOf({ spending, sizes, margin, alpha, futility, powerLoss }: Design) {
  const fractions = sizes.map((n) => n / sizes.at(-1)!)
  const looks = sizes.map((_, at): Look => ({ spending, fractions, at }))
  const levels = looks.map((look) => levelAt(look, alpha))
  const quantiles = levels.map((level) => (level > 0 ? normalQuantile(level) : -Infinity))
  const critical =
    sizes.at(-1)! <= EXACT_UP_TO
      ? exactScores(sizes, margin, spentBy(spending, fractions, alpha))
      : quantiles
  const last = levels.at(-1)!
  const isLeft = (p: number, t: number) => chanceToReject(p, t, last) >= futility
  return looks.map((look, k) => {
    const level = givingUpLevel(look, powerLoss)
    const isGivenUp = (counts: Counts) => ({
      pass: normalLowerTail(-tangoScore(counts, GIVEN_UP_AT.pass * margin)) <= level,
      fail: normalLowerTail(tangoScore(counts, GIVEN_UP_AT.fail * margin)) <= level,
    })
    return {
      passUpTo: critical[k]! + TIE,
      failFrom: -quantiles[k]! - TIE,
      isFutile: (score: number, counts: Counts) => {
        if (k === looks.length - 1) return true
        const given = isGivenUp(counts)
        return (
          (given.pass || !isLeft(normalLowerTail(score), fractions[k]!)) &&
          (given.fail || !isLeft(normalLowerTail(-score), fractions[k]!))
        )
      },
    }
  })
}
