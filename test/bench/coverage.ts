/**
 * @file How often the intervals hold the truth, and the size of the non-inferiority test: by enumeration of every outcome
 * where that can be, by 10⁵ draws for corrected rates. Writes test/golden/fixtures/coverage.json (under three minutes).
 *
 *     node test/bench/coverage.ts        on the packaged Node
 */
import { writeFileSync } from 'node:fs'
import { bootstrapMean } from '../../evals/statistics/bootstrap.ts'
import { clopperPearson, midPInterval } from '../../evals/statistics/exact-binomial.ts'
import {
  criticalScore,
  EXACT_UP_TO,
  marginTests,
  tangoScore,
} from '../../evals/statistics/non-inferiority.ts'
import { lossLimits, regionProbability } from '../../evals/statistics/paired-tail.ts'
import { newcombePaired } from '../../evals/statistics/paired.ts'
import { wilson, type Interval } from '../../evals/statistics/proportion.ts'
import { randomStream } from '../../evals/statistics/random.ts'
import { correctedRate } from '../../evals/statistics/rogan-gladen.ts'

export const NOMINAL = 0.95
const ALPHA = 0.05
const DRAWS = 100_000

/** Coverage over a grid: its mean, and its minimum with the place. */
export interface Coverage {
  readonly method: string
  readonly how: string
  readonly n: number
  readonly grid: string
  readonly mean: number
  readonly minimum: number
  readonly at: string
}

const rounded = (value: number) => Number(value.toFixed(6))

function summary(
  head: Pick<Coverage, 'method' | 'how' | 'n' | 'grid'>,
  values: readonly { readonly place: string; readonly covered: number }[],
): Coverage {
  const worst = values.reduce((a, b) => (b.covered < a.covered ? b : a))
  const mean = values.reduce((sum, { covered }) => sum + covered, 0) / values.length
  return { ...head, mean: rounded(mean), minimum: rounded(worst.covered), at: worst.place }
}

function logFactorials(n: number): number[] {
  const logs = [0]
  for (let k = 1; k <= n; k++) logs.push(logs[k - 1]! + Math.log(k))
  return logs
}

/** P[an interval of x/n holds p], summed over x. */
export function proportionCoverage(
  method: string,
  n: number,
  interval: (x: number, n: number) => Interval,
): Coverage {
  const logs = logFactorials(n)
  const intervals = Array.from({ length: n + 1 }, (_, x) => interval(x, n))
  const values = Array.from({ length: 999 }, (_, i) => {
    const p = (i + 1) / 1000
    let covered = 0
    for (const [x, { lower, upper }] of intervals.entries()) {
      if (lower > p || upper < p) continue
      const ways = logs[n]! - logs[x]! - logs[n - x]!
      covered += Math.exp(ways + x * Math.log(p) + (n - x) * Math.log1p(-p))
    }
    return { place: `p = ${p}`, covered }
  })
  return summary({ method, how: 'enumerated', n, grid: 'p = 0.001, 0.002, …, 0.999' }, values)
}

interface Cell {
  readonly counts: readonly [number, number, number, number]
  readonly lower: number
  readonly upper: number
}

/** Rates before and after, each with each. */
const USUAL = [0.1, 0.3, 0.5, 0.7, 0.9]
const EXTREME = [0.02, 0.05, 0.95, 0.98]

/** Newcombe's method 10 over every (a, b, c, d) with a + b + c + d = n. */
export function newcombeCoverage(n: number, rates: readonly number[] = USUAL): Coverage {
  const logs = logFactorials(n)
  const cells: Cell[] = []
  for (let a = 0; a <= n; a++) {
    for (let b = 0; a + b <= n; b++) {
      for (let c = 0; a + b + c <= n; c++) {
        const d = n - a - b - c
        const { lower, upper } = newcombePaired({ a, b, c, d })
        cells.push({ counts: [a, b, c, d], lower: lower!, upper: upper! })
      }
    }
  }
  const values = pairedGrid(rates).map(({ place, shares, difference }) => {
    const logShares = shares.map((share) => Math.log(share))
    let covered = 0
    for (const { counts, lower, upper } of cells) {
      if (lower > difference || upper < difference) continue
      let log = logs[n]!
      for (let i = 0; i < 4; i++) log += counts[i]! * logShares[i]! - logs[counts[i]!]!
      covered += Math.exp(log)
    }
    return { place, covered }
  })
  const grid = `before and after in ${rates.join(', ')}, independent and half as alike as can be`
  return summary({ method: 'newcombe', how: 'enumerated', n, grid }, values)
}

function pairedGrid(rates: readonly number[]) {
  return rates.flatMap((before) =>
    rates.flatMap((after) =>
      [0, 0.5].map((alike) => {
        const independent = before * after
        const both = independent + alike * (Math.min(before, after) - independent)
        const shares = [both, before - both, after - both, 1 - before - after + both]
        const place = `before = ${before}, after = ${after}, alike = ${alike}`
        return { place, shares, difference: before - after }
      }),
    ),
  )
}

/** The percentile bootstrap of the mean of n scores 0 or 1, by its own interval for every x. */
function bootstrapCoverage(n: number): Coverage {
  const interval = (x: number) => {
    const scores = Array.from({ length: n }, (_, i) => [i < x ? 1 : 0])
    const { lower, upper } = bootstrapMean(scores, { seed: 0 })
    return { lower: lower!, upper: upper! }
  }
  return proportionCoverage('bootstrap', n, interval)
}

/** A judge with planted errors, known from as many labels of each kind. */
function correctedCoverage(n: number, labels: number): Coverage & { readonly refused: number } {
  let refused = 0
  const values = [0.02, 0.1, 0.3, 0.5, 0.8, 0.95].flatMap((p) =>
    [[0.95, 0.95] as const, [0.9, 0.8] as const, [0.99, 0.9] as const].map(([se, sp]) => {
      const place = `p = ${p}, Se = ${se}, Sp = ${sp}`
      const { uniform } = randomStream(0, `corrected ${n} ${labels} ${place}`)
      const draw = (size: number, share: number) => {
        const table = cumulative(size, share)
        return () => {
          const u = uniform()
          return table.findIndex((sum) => u < sum)
        }
      }
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

export interface Size {
  readonly n: number
  readonly margin: number
  readonly method: 'exact' | 'score'
  readonly size: number
  /** The nuisance p₀₁ at which it is largest. */
  readonly at: number
}

/** sup over p₀₁ of P[shown to be below the margin] where the harm is the margin, over 1,000 places. */
export function marginSize(n: number, margin: number): Size {
  const isExact = n <= EXACT_UP_TO
  const critical = isExact ? criticalScore(n, margin, ALPHA) : 0
  const limits = lossLimits(n, (lost, gained) =>
    isExact
      ? tangoScore({ lost, gained, n }, margin) <= critical
      : marginTests({ lost, gained, n }, margin)!.below <= ALPHA,
  )
  let [size, at] = [0, 0]
  for (let i = 0; i < 1000; i++) {
    const gained = ((1 - margin) / 2) * (i / 999) ** 1.5
    const found = regionProbability(limits, n, { lost: gained + margin, gained })
    if (found > size) [size, at] = [found, gained]
  }
  return { n, margin, method: isExact ? 'exact' : 'score', size: rounded(size), at: rounded(at) }
}

function table() {
  const sizes = [
    5, 10, 20, 30, 40, 50, 60, 80, 96, 100, 120, 150, 180, 200, 300, 500, 1000, 2001, 3000,
  ]
  const margins = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2]
  const proportions = [10, 20, 50, 100, 200, 500]
  return {
    about: `Coverage of nominal ${NOMINAL} intervals and size of the non-inferiority test at α = ${ALPHA}; made by test/bench/coverage.ts.`,
    coverage: [
      ...proportions.map((n) => proportionCoverage('wilson', n, wilson)),
      ...proportions.map((n) => proportionCoverage('clopper-pearson', n, clopperPearson)),
      ...proportions.map((n) => proportionCoverage('mid-p', n, midPInterval)),
      ...[20, 50, 100].map((n) => newcombeCoverage(n)),
      ...[50, 100].map((n) => newcombeCoverage(n, EXTREME)),
      ...[50, 100, 250].map(bootstrapCoverage),
      ...[100, 300].flatMap((n) => [50, 200].map((labels) => correctedCoverage(n, labels))),
    ],
    sizes: sizes.flatMap((n) => margins.map((margin) => marginSize(n, margin))),
  }
}

if (import.meta.main) {
  const path = new URL('../golden/fixtures/coverage.json', import.meta.url)
  writeFileSync(path, `${JSON.stringify(table(), null, 1)}\n`)
}
