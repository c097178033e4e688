/** @file Whether a peak of the test error over capacity grows with label noise, for the page of findings. */
import { MINUS } from '../../../../evals/contract/words.ts'
import type { Sweep } from '../../../../evals/contract/sweeps.ts'
import { holmAdjusted } from '../../../../evals/statistics/paired/holm.ts'
import { median } from '../../../../evals/statistics/median.ts'
import { meanOf } from '../../../../evals/statistics/summary.ts'
import { pairedEffect } from '../../../../evals/sweeps/detectors/peak-effect.ts'
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
  const rows = valuesOf(sweep, NOISE).map((noise) => {
    const threshold = sweep.thresholds!.find(
      (row) => row.axis === axis && row.axes[NOISE] === noise,
    )
    const errors = places.map((place) => {
      const [test, train] = [TEST_ERROR, 'train-error'].map((metric) =>
        percent(median(metricsAt(sweep, { [NOISE]: noise, [axis]: place }, metric))),
      )
      return `${test} (${train})`
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

/** Heights of the peak at each share of noise, seed by seed against the share before, and their slope over all shares. */
export function growthTable(sweep: Sweep, axis: string): string {
  const shares = valuesOf(sweep, NOISE)
  const places = valuesOf(sweep, axis)
  const heights = shares.map((noise) =>
    sizesOf(sweep.cells, [axis, places], ({ axes }) => axes[NOISE] === noise).map(
      ({ height }) => height,
    ),
  )
  const slopes = heights[0]!.map((_, seed) =>
    slopeOf(
      shares,
      heights.map((own) => own[seed]!),
    ),
  )
  const effects = [
    ...shares.slice(1).map((noise, i) => ({
      claim: `${100 * noise} % noise has a higher peak than ${100 * shares[i]!} %`,
      heights: `${percent(meanOf(heights[i + 1]!))} after ${percent(meanOf(heights[i]!))}`,
      effect: pairedEffect(heights[i + 1]!, heights[i]!),
      factor: 1,
    })),
    {
      claim: 'for each 10 % more noise, by the line through all',
      heights: '–',
      effect: pairedEffect(
        slopes,
        slopes.map(() => 0),
      ),
      factor: 0.1,
    },
  ]
  const adjusted = holmAdjusted(effects.map(({ effect }) => effect.pValue))
  const rows = effects.map(({ claim, heights: text, effect, factor }, i) => {
    const { difference, lower, upper, smallest } = effect
    const isSeen = adjusted[i]! <= 0.05
    const outcome = isSeen ? (difference > 0 ? 'found' : 'opposite') : 'cannot be told apart'
    return [
      ...[claim, `**${outcome}**`, text],
      points([difference, lower, upper].map((value) => factor * value)),
      ...[digits(adjusted[i]!), percent(factor * smallest)],
    ]
  })
  return tableOf(
    ['Claim', 'outcome', 'height', 'difference (95 %)', 'p (Holm)', 'smallest seen'],
    rows,
  )
}
