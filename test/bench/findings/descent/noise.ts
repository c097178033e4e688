/** @file Whether a peak of the test error over capacity grows with label noise, for the page of findings. */
import { MINUS } from '../../../../evals/contract/words.ts'
import type { Sweep } from '../../../../evals/contract/sweeps.ts'
import { holmAdjusted } from '../../../../evals/statistics/paired/holm.ts'
import { median } from '../../../../evals/statistics/median.ts'
import { meanOf } from '../../../../evals/statistics/summary.ts'
import { FEWEST_PAIRS, pairedEffect } from '../../../../evals/sweeps/detectors/peak-effect.ts'
import { digits, percent, sizesOf, tableOf, TEST_ERROR, valuesOf } from './tables.ts'

const NOISE = 'label-noise'

function metricsAt({ cells }: Sweep, place: Readonly<Record<string, number>>, metric: string) {
  return cells
    .filter(({ spec }) => Object.entries(place).every(([name, at]) => spec.axes[name] === at))
    .flatMap(({ metrics }) => metrics.filter(({ name }) => name === metric))
    .map(({ value }) => value)
}

/** Medians over the seeds of the test error, and of the training error in brackets: noise by capacity. */
export function noiseTable(sweep: Sweep, axis: string): string {
  const places = valuesOf(sweep, axis)
  const seeds = new Set(sweep.cells.map(({ spec }) => spec.seed)).size
  const rows = valuesOf(sweep, NOISE).map((noise) => {
    const threshold = sweep.thresholds!.find(
      (row) => row.axis === axis && row.axes[NOISE] === noise,
    )
    const errors = places.map((place) => {
      const [tests, trains] = [TEST_ERROR, 'train-error'].map((metric) =>
        metricsAt(sweep, { [NOISE]: noise, [axis]: place }, metric),
      )
      if (tests!.length === 0) return '–'
      const few = tests!.length < seeds ? `, ${tests!.length}` : ''
      return `${percent(median(tests!))} (${percent(median(trains!))})${few}`
    })
    return [`${100 * noise} %`, ...errors, String(threshold?.at ?? '–')]
  })
  return tableOf([`Noise \\ ${axis}`, ...places.map(String), 'fitted from'], rows)
}

const points = ([difference, lower, upper]: readonly number[]) =>
  [difference!, lower!, upper!].map((value) => percent(value).replace('-', MINUS)).join(' / ')

/** Slope of the least-squares line through (x, y). */
function slopeOf(x: readonly number[], y: readonly number[]): number {
  const [middle, mean] = [meanOf(x), meanOf(y)]
  const products = x.map((value, i) => (value - middle) * (y[i]! - mean))
  return meanOf(products) / meanOf(x.map((value) => (value - middle) ** 2))
}

/** The height of the peak of each seed that has every place. */
function heightsOf({ cells }: Sweep, axis: string, places: readonly number[], noise: number) {
  const own = cells.filter(({ spec }) => spec.axes[NOISE] === noise)
  const seeds = Map.groupBy(own, ({ spec }) => spec.seed)
  const whole = [...seeds].filter(([, group]) => group.length === places.length)
  return new Map(
    whole.map(([seed, group]) => {
      return [seed, sizesOf(group, [axis, places], () => true)[0]!.height]
    }),
  )
}

interface Share {
  readonly noise: number
  /** By seed. */
  readonly heights: ReadonlyMap<number, number>
}

interface Growth {
  readonly claim: string
  readonly seeds: number
  readonly heights: string
  readonly effect: ReturnType<typeof pairedEffect>
  /** From the effect's unit to that of the claim. */
  readonly factor: number
}

const seedsOfAll = (shares: readonly Share[]) =>
  [...shares[0]!.heights.keys()].filter((seed) => shares.every(({ heights }) => heights.has(seed)))

/** A share of noise against the one before, seed by seed. */
function stepOf(own: Share, before: Share): Growth {
  const seeds = seedsOfAll([before, own])
  const [high, low] = [own, before].map(({ heights }) => seeds.map((seed) => heights.get(seed)!))
  return {
    claim: `${100 * own.noise} % noise has a higher peak than ${100 * before.noise} %`,
    seeds: seeds.length,
    heights: `${percent(meanOf(high!))} after ${percent(meanOf(low!))}`,
    effect: pairedEffect(high!, low!),
    factor: 1,
  }
}

/** The slope of the line through all shares, of each seed, against 0. */
function lineThrough(shares: readonly Share[]): Growth {
  const seeds = seedsOfAll(shares)
  const noises = shares.map(({ noise }) => noise)
  const slopes = seeds.map((seed) =>
    slopeOf(
      noises,
      shares.map(({ heights }) => heights.get(seed)!),
    ),
  )
  const names = noises.map((noise) => 100 * noise).join(', ')
  return {
    claim: `for each 10 % more noise, by the line through ${names} %`,
    seeds: seeds.length,
    heights: '–',
    effect: pairedEffect(
      slopes,
      slopes.map(() => 0),
    ),
    factor: 0.1,
  }
}

/** Heights of the peak at each share of noise against the share before, and their slope over all shares that have every place. */
export function growthTable(sweep: Sweep, axis: string): string {
  const places = valuesOf(sweep, axis)
  const shares = valuesOf(sweep, NOISE)
    .map((noise) => ({ noise, heights: heightsOf(sweep, axis, places, noise) }))
    .filter(({ heights }) => heights.size >= FEWEST_PAIRS)
  const all = [...shares.slice(1).map((own, i) => stepOf(own, shares[i]!)), lineThrough(shares)]
  const adjusted = holmAdjusted(all.map(({ effect }) => effect.pValue))
  const rows = all.map(({ claim, seeds, heights, effect, factor }, i) => {
    const { difference, lower, upper, smallest } = effect
    const isSeen = adjusted[i]! <= 0.05
    const outcome = isSeen ? (difference > 0 ? 'found' : 'opposite') : 'cannot be told apart'
    return [
      ...[claim, `**${outcome}**`, String(seeds), heights],
      points([difference, lower, upper].map((value) => factor * value)),
      ...[digits(adjusted[i]!), percent(factor * smallest)],
    ]
  })
  return tableOf(
    ['Claim', 'outcome', 'seeds', 'height', 'difference (95 %)', 'p (Holm)', 'smallest seen'],
    rows,
  )
}
