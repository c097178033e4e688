/**
 * @file How often the intervals hold the truth, and the size of the non-inferiority test: by enumeration of every outcome
 * where that can be, by draws (coverage-draws.ts) elsewhere. Writes test/golden/fixtures/coverage.json (about ten minutes).
 *
 *     node test/bench/coverage.ts [METHOD…]        on the packaged Node; only these rows, all if none is named
 */
import { readFileSync, writeFileSync } from 'node:fs'
import { bootstrapMean } from '../../evals/statistics/bootstrap.ts'
import { clopperPearson, midPInterval } from '../../evals/statistics/exact-binomial.ts'
import {
  criticalScore,
  EXACT_UP_TO,
  marginTests,
  tangoInterval,
  tangoScore,
} from '../../evals/statistics/paired/non-inferiority.ts'
import { lossLimits, regionProbability } from '../../evals/statistics/paired/paired-tail.ts'
import { newcombePaired, type PairedCounts } from '../../evals/statistics/paired/paired.ts'
import { wilson, type Interval } from '../../evals/statistics/proportion.ts'
import {
  correctedChangeCoverage,
  correctedCoverage,
  repeatedCoverage,
  repeatedSize,
  type RepeatedSize,
} from './coverage-draws.ts'
import {
  ALPHA,
  logFactorials,
  NOMINAL,
  rounded,
  summary,
  type Coverage,
} from './coverage-summary.ts'

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
  /** ln of the ways to fill it. */
  readonly ways: number
  readonly lower: number
  readonly upper: number
}

/** Rates before and after, each with each: a few usual ones, a few near the ends, and evenly over all. */
const USUAL = [0.1, 0.3, 0.5, 0.7, 0.9]
const EXTREME = [0.02, 0.05, 0.95, 0.98]
const EVEN = Array.from({ length: 25 }, (_, i) => (4 * i + 2) / 100)

const PAIRED = {
  newcombe: (counts: PairedCounts) => newcombePaired(counts),
  tango: ({ a, b, c, d }: PairedCounts) => tangoInterval({ lost: b, gained: c, n: a + b + c + d })!,
}

/** An interval of the difference over every (a, b, c, d) with a + b + c + d = n. */
export function pairedCoverage(
  method: keyof typeof PAIRED,
  n: number,
  rates: readonly number[] = USUAL,
): Coverage {
  const logs = logFactorials(n)
  const cells: Cell[] = []
  for (let a = 0; a <= n; a++) {
    for (let b = 0; a + b <= n; b++) {
      for (let c = 0; a + b + c <= n; c++) {
        const d = n - a - b - c
        const { lower, upper } = PAIRED[method]({ a, b, c, d })
        const ways = logs[n]! - logs[a]! - logs[b]! - logs[c]! - logs[d]!
        cells.push({ counts: [a, b, c, d], ways, lower: lower!, upper: upper! })
      }
    }
  }
  const values = pairedGrid(rates).map(({ place, shares, difference }) => {
    const logShares = shares.map((share) => Math.log(share))
    let covered = 0
    for (const { counts, ways, lower, upper } of cells) {
      // A limit that meets the truth holds it, however both were rounded.
      if (lower > difference + ROUNDING || upper < difference - ROUNDING) continue
      let log = ways
      for (let i = 0; i < 4; i++) log += counts[i]! * logShares[i]!
      covered += Math.exp(log)
    }
    return { place, covered }
  })
  const places = rates === EVEN ? '0.02, 0.06, …, 0.98' : rates.join(', ')
  const grid = `before and after in ${places}, independent and half as alike as can be`
  return summary({ method, how: 'enumerated', n, grid }, values)
}

const ROUNDING = 1e-12

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

interface Size {
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

const PROPORTIONS = [10, 20, 50, 100, 200, 500]
const SIZES = [
  5, 10, 20, 30, 40, 50, 60, 80, 96, 100, 120, 150, 180, 200, 300, 500, 1000, 2001, 3000,
]
const MARGINS = [0.01, 0.02, 0.03, 0.05, 0.1, 0.2]
const LABELLED = [100, 300].flatMap((n) => [50, 200].map((labels) => [n, labels] as const))

const pairedRows = (method: keyof typeof PAIRED) => [
  ...[10, 20, 30, 50, 100].map((n) => pairedCoverage(method, n, EVEN)),
  ...[20, 50, 100].map((n) => pairedCoverage(method, n)),
  ...[20, 50, 100].map((n) => pairedCoverage(method, n, EXTREME)),
]

/** The rows of each method, in the table's order. */
const COVERAGE: Readonly<Record<string, () => Coverage[]>> = {
  wilson: () => PROPORTIONS.map((n) => proportionCoverage('wilson', n, wilson)),
  'clopper-pearson': () =>
    PROPORTIONS.map((n) => proportionCoverage('clopper-pearson', n, clopperPearson)),
  'mid-p': () => PROPORTIONS.map((n) => proportionCoverage('mid-p', n, midPInterval)),
  newcombe: () => pairedRows('newcombe'),
  tango: () => pairedRows('tango'),
  bootstrap: () => [50, 100, 250].map(bootstrapCoverage),
  'rogan-gladen': () => LABELLED.map(([n, labels]) => correctedCoverage(n, labels)),
  'rogan-gladen change': () => LABELLED.map(([n, labels]) => correctedChangeCoverage(n, labels)),
  'repeated rate': () => [20, 50, 100].map((n) => repeatedCoverage(n, 'rate')),
  'repeated change': () => [20, 50, 100].map((n) => repeatedCoverage(n, 'change')),
}

interface Table {
  readonly about: string
  readonly coverage: readonly Coverage[]
  readonly sizes: readonly Size[]
  readonly repeatedSizes: readonly RepeatedSize[]
}

const ABOUT = `Coverage of nominal ${NOMINAL} intervals and size of the non-inferiority test at α = ${ALPHA}; made by test/bench/coverage.ts.`

/** The parts that are named, made again; of the others what was. */
function made(was: Table, parts: ReadonlySet<string>): Table {
  const isAsked = (part: string) => parts.size === 0 || parts.has(part)
  const coverage = Object.entries(COVERAGE).flatMap(([method, rows]) =>
    isAsked(method) ? rows() : was.coverage.filter((row) => row.method === method),
  )
  const sizes = isAsked('sizes')
    ? SIZES.flatMap((n) => MARGINS.map((margin) => marginSize(n, margin)))
    : was.sizes
  const repeatedSizes = isAsked('repeated sizes') ? [50, 100].map(repeatedSize) : was.repeatedSizes
  return { about: ABOUT, coverage, sizes, repeatedSizes }
}

if (import.meta.main) {
  const path = new URL('../golden/fixtures/coverage.json', import.meta.url)
  const was = JSON.parse(readFileSync(path, 'utf8')) as Table
  writeFileSync(path, `${JSON.stringify(made(was, new Set(process.argv.slice(2))), null, 1)}\n`)
}
