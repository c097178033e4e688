/**
 * @file The part of the table of coverage that is drawn, not enumerated: rates and changes corrected for a judge with planted errors
 * (10⁵ draws a place), and prompts that are answered several times (10⁴).
 */
import { criticalScore, tangoScore } from '../../evals/statistics/paired/non-inferiority.ts'
import { correctedDifference } from '../../evals/statistics/judges/corrected-difference.ts'
import { newcombePaired, type PairedCounts } from '../../evals/statistics/paired/paired.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import {
  effectiveChange,
  repeatedDifference,
  repeatedRate,
  type PromptPair,
} from '../../evals/statistics/repeated.ts'
import { correctedRate } from '../../evals/statistics/judges/rogan-gladen.ts'
import { ALPHA, logFactorials, rounded, summary, type Coverage } from './coverage-summary.ts'

const DRAWS = 100_000
const REPEATED_DRAWS = 10_000
/** Sensitivity and specificity of the planted judges. */
const JUDGES = [[0.95, 0.95] as const, [0.9, 0.8] as const, [0.99, 0.9] as const]

/** A judge with planted errors, known from as many labels of each kind. */
export function correctedCoverage(
  n: number,
  labels: number,
): Coverage & { readonly refused: number } {
  let refused = 0
  const values = [0.02, 0.1, 0.3, 0.5, 0.8, 0.95].flatMap((p) =>
    JUDGES.map(([se, sp]) => {
      const place = `p = ${p}, Se = ${se}, Sp = ${sp}`
      const { uniform } = randomStream(0, `corrected ${n} ${labels} ${place}`)
      const draw = (size: number, share: number) => binomial(size, share, uniform)
      const found = draw(n, p * se + (1 - p) * (1 - sp))
      const [hits, rejections] = [draw(labels, se), draw(labels, sp)]
      let [covered, given] = [0, 0]
      for (let i = 0; i < DRAWS; i++) {
        const rate = correctedRate(
          { successes: found(), n },
          {
            sensitivity: { successes: hits(), n: labels },
            specificity: { successes: rejections(), n: labels },
          },
        )
        if (rate.kind === 'refused') continue
        given++
        if (rate.lower <= p && p <= rate.upper) covered++
      }
      refused += DRAWS - given
      return { place, covered: covered / given }
    }),
  )
  const grid = `${labels} labels of each kind; p × (Se, Sp), see test/bench/coverage.ts`
  const head = { method: 'rogan-gladen', how: `${DRAWS} draws`, n, grid }
  return { ...summary(head, values), refused }
}

function cumulative(n: number, p: number): Float64Array {
  const logs = logFactorials(n)
  let sum = 0
  const table = Float64Array.from({ length: n + 1 }, (_, x) => {
    const ways = logs[n]! - logs[x]! - logs[n - x]!
    return (sum += Math.exp(ways + x * Math.log(p) + (n - x) * Math.log1p(-p)))
  })
  table[n] = 1
  return table
}

/** Rates before and after: unchanged, a little lower, collapsed; half as alike as can be. */
const CHANGES = [
  [0.95, 0.95],
  [0.95, 0.9],
  [0.95, 0.7],
  [0.95, 0.1],
  [0.5, 0.4],
  [0.05, 0.1],
] as const

/** The same judges, erring before and after alike and each time anew; the truth is the change that people would see. */
export function correctedChangeCoverage(
  n: number,
  labels: number,
): Coverage & { readonly refused: number } {
  let refused = 0
  const values = CHANGES.flatMap(([before, after]) =>
    JUDGES.map(([se, sp]) => {
      const place = `before = ${before}, after = ${after}, Se = ${se}, Sp = ${sp}`
      const { uniform } = randomStream(0, `corrected change ${n} ${labels} ${place}`)
      const judged = judgedCells(n, judgedShares(before, after, se, sp), uniform)
      const [hits, rejections] = [se, sp].map((share) => binomial(labels, share, uniform)) as [
        () => number,
        () => number,
      ]
      const truth = before - after
      let [covered, given] = [0, 0]
      for (let i = 0; i < DRAWS; i++) {
        const { difference, lower, upper } = newcombePaired(judged())
        const found = correctedDifference(
          { estimate: difference!, lower: lower!, upper: upper! },
          {
            sensitivity: { successes: hits(), n: labels },
            specificity: { successes: rejections(), n: labels },
          },
        )
        if (found.kind === 'refused') continue
        given++
        if (found.lower <= truth + ROUNDING && truth - ROUNDING <= found.upper) covered++
      }
      refused += DRAWS - given
      return { place, covered: covered / given }
    }),
  )
  const grid = `${labels} labels of each kind; changes × (Se, Sp), see test/bench/coverage-draws.ts`
  const head = { method: 'rogan-gladen change', how: `${DRAWS} draws`, n, grid }
  return { ...summary(head, values), refused }
}

const ROUNDING = 1e-12

/** Of true pairs, half as alike as can be, what such a judge makes: P[counted both, before only, after only, never]. */
function judgedShares(before: number, after: number, se: number, sp: number): number[] {
  const independent = before * after
  const both = independent + 0.5 * (Math.min(before, after) - independent)
  const truths = [
    [1, 1, both],
    [1, 0, before - both],
    [0, 1, after - both],
    [0, 0, 1 - before - after + both],
  ] as const
  const counted = (truth: number) => (truth === 1 ? se : 1 - sp)
  return [
    [1, 1],
    [1, 0],
    [0, 1],
    [0, 0],
  ].map(([one, two]) =>
    truths.reduce((sum, [was, is, share]) => {
      const [p, q] = [counted(was), counted(is)]
      return sum + share * (one === 1 ? p : 1 - p) * (two === 1 ? q : 1 - q)
    }, 0),
  )
}

function binomial(n: number, share: number, uniform: () => number): () => number {
  const table = cumulative(n, share)
  return () => {
    const u = uniform()
    return table.findIndex((sum) => u < sum)
  }
}

/** n pairs over four cells, a cell after the other, each of what the ones before left. */
function judgedCells(
  n: number,
  shares: readonly number[],
  uniform: () => number,
): () => PairedCounts {
  const tables = shares.map(() => new Map<number, () => number>())
  const draw = (cell: number, left: number) => {
    if (left === 0) return 0
    const rest = shares.slice(cell).reduce((sum, share) => sum + share, 0)
    const known = tables[cell]!.get(left) ?? binomial(left, shares[cell]! / rest, uniform)
    tables[cell]!.set(left, known)
    return known()
  }
  return () => {
    const a = draw(0, n)
    const b = draw(1, n - a)
    const c = draw(2, n - a - b)
    return { a, b, c, d: n - a - b - c }
  }
}

const SAMPLES = 5
/** A share of prompts refuses always, the others with this probability. */
const WEAK = [0, 0.5, 0.8]
/** Shares of weak prompts before and after; nested means that those of before are weak after too. */
const SHARES = [
  [0.05, 0.1],
  [0.1, 0.2],
  [0.3, 0.6],
  [0.02, 0.02],
] as const

interface Repeated {
  readonly place: string
  readonly truth: { readonly after: number; readonly difference: number }
  readonly draw: () => PromptPair[]
}

function repeatedPlaces(
  prompts: number,
  shares: readonly (readonly [number, number])[],
): Repeated[] {
  return WEAK.flatMap((p) =>
    shares.flatMap(([before, after]) =>
      [true, false].map((isNested): Repeated => {
        const place = `weak = ${before} and ${after}${isNested ? ', nested' : ''}, refusing ${p}`
        const { uniform } = randomStream(0, `repeated ${prompts} ${place}`)
        const replies = (isWeak: boolean) =>
          Array.from({ length: SAMPLES }, () => Number(!isWeak || uniform() < p))
        const draw = () =>
          Array.from({ length: prompts }, () => {
            const u = uniform()
            const v = isNested ? u : uniform()
            return { before: replies(u < before), after: replies(v < after) }
          })
        const truth = { after: 1 - after * (1 - p), difference: (after - before) * (1 - p) }
        return { place, truth, draw }
      }),
    ),
  )
}

const holds = ({ lower, upper }: { lower: number; upper: number }, truth: number) =>
  lower <= truth + ROUNDING && truth - ROUNDING <= upper

/** Intervals of a rate, or of a change, where each prompt has five replies. */
export function repeatedCoverage(prompts: number, of: 'rate' | 'change'): Coverage {
  const isHeld = (drawn: readonly PromptPair[], truth: Repeated['truth']) =>
    of === 'rate'
      ? holds(repeatedRate(drawn.map(({ after }) => after))!, truth.after)
      : holds(repeatedDifference(drawn)!, truth.difference)
  const values = repeatedPlaces(prompts, SHARES).map(({ place, truth, draw }) => {
    let held = 0
    for (let i = 0; i < REPEATED_DRAWS; i++) if (isHeld(draw(), truth)) held++
    return { place, covered: held / REPEATED_DRAWS }
  })
  const grid = `${SAMPLES} replies to a prompt; weak prompts, see test/bench/coverage-draws.ts`
  const head = { method: `repeated ${of}`, how: `${REPEATED_DRAWS} draws`, n: prompts, grid }
  return summary(head, values)
}

export interface RepeatedSize {
  readonly prompts: number
  readonly samples: number
  readonly how: string
  /** The largest share of draws shown to be below a margin that is the truth, and where. */
  readonly size: number
  readonly at: string
}

/** The size of the exact test on what several replies are worth. */
export function repeatedSize(prompts: number): RepeatedSize {
  const critical = new Map<string, number>()
  const sizes = repeatedPlaces(prompts, [SHARES[0], SHARES[1]]).map(({ place, truth, draw }) => {
    const margin = truth.difference
    let passed = 0
    for (let i = 0; i < REPEATED_DRAWS; i++) {
      const change = effectiveChange(draw(), 'more')
      const key = `${change.n} ${margin}`
      const limit = critical.get(key) ?? criticalScore(change.n, margin, ALPHA)
      critical.set(key, limit)
      if (tangoScore(change, margin) <= limit) passed++
    }
    return { at: place, size: passed / REPEATED_DRAWS }
  })
  const worst = sizes.reduce((a, b) => (b.size > a.size ? b : a))
  const how = `${REPEATED_DRAWS} draws`
  return { prompts, samples: SAMPLES, how, size: rounded(worst.size), at: worst.at }
}
