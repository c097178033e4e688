/** @file Where trainings begin to fit every row, along axes and trainings; what a sweep can see; the figures that show it. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Results } from '../../../evals/contract/results.ts'
import type { CellRow } from '../../../evals/contract/sweeps.ts'
import { sweepFigures } from '../../../evals/document/charts/sweep-figures.ts'
import { renderFigures } from '../../../evals/document/figures-svg.ts'
import { sweepSummarySection } from '../../../evals/document/sections/cells/sweep.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { planCells } from '../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../evals/sweeps/config.ts'
import { powerLines } from '../../../evals/sweeps/plan-power.ts'
import { sweepOf, withCells } from '../../../evals/sweeps/results.ts'
import { cellRows } from '../../doubles/rows/cell-rows.ts'

const WIDTHS = [2, 4, 8, 16]
const SAMPLES = [100, 200]
const SEEDS = 4
const config = SweepConfig.parse({
  testbed: 'digits',
  axes: [`width=${WIDTHS.join(',')}`, `samples=${SAMPLES.join(',')}`],
  seeds: [`0..${SEEDS - 1}`],
})
const planned = planCells(config, { base: null, data: null, prompts: null, numerics: '1' })
const LOOKS = [1, 10, 100, 1000]

/** Half of the seeds fit 100 rows from width 4 on, and 200 rows from width 8 on; seeds differ by what `wobble` says. */
const rows = planned.map((cell): CellRow => {
  const { axes, seed } = cell.spec
  const from = axes['samples'] === 100 ? 4 : 8
  const fits = axes['width']! >= (seed < SEEDS / 2 ? from : 2 * from)
  const wobble = 0.01 * Math.sin(7 * seed + axes['width']!)
  const testError = ({ 2: 0.3, 4: 0.5, 8: 0.9, 16: 0.2 }[axes['width']!] ?? 0) + wobble
  const metrics = [
    { name: 'train-error', value: fits ? 0 : 0.1 },
    { name: 'test-error', value: testError },
  ]
  const curves = [
    { name: 'train-error', x: LOOKS, y: [0.9, 0.5, fits ? 0 : 0.2, fits ? 0 : 0.1] },
    { name: 'test-error', x: LOOKS, y: [0.9 + wobble, 0.2 + wobble, 0.6 + wobble, testError] },
  ]
  return { ...cell, status: 'done', error: null, metrics, curves, seconds: 1 }
})
const sweep = sweepOf(cellRows('sweep', config, rows))!

describe('the interpolation threshold', () => {
  const at = (axis: string, axes: Record<string, number>) =>
    sweep.thresholds!.find(
      (each) => each.axis === axis && JSON.stringify(each.axes) === JSON.stringify(axes),
    )?.at
  test('is the first width, and the first epoch, at which half of the seeds fit every row', () => {
    expect(at('width', { samples: 100 })).toBe(4)
    expect(at('width', { samples: 200 })).toBe(8)
    expect(at('epoch', { width: 8, samples: 100 })).toBe(100)
    expect(at('epoch', { width: 2, samples: 100 })).toBeNull()
  })
})

describe('a peak along a training', () => {
  test('is tested like one along an axis, and all tests are adjusted together', () => {
    const epochs = sweep.descents.filter(({ axis }) => axis === 'epoch')
    expect(epochs).toHaveLength(WIDTHS.length * SAMPLES.length)
    expect(epochs.every(({ places }) => places === LOOKS.length)).toBe(true)
    const peak = epochs.find(({ axes }) => axes['width'] === 16)!
    expect(peak).toMatchObject({ outcome: 'peak', peak: 100 })
    const tested = sweep.descents.filter(({ pValue }) => pValue !== null)
    const smallest = Math.min(...tested.map(({ pValue }) => pValue!))
    const first = tested.find(({ pValue }) => pValue === smallest)!
    expect(first.adjusted).toBeCloseTo(Math.min(1, smallest * tested.length), 12)
  })
})

describe('what a sweep can see', () => {
  test('is told for each axis of its tests, and of its plan', async () => {
    const [width, ...others] = sweep.sight!
    expect(width).toMatchObject({ axis: 'width', seeds: SEEDS, places: WIDTHS.length })
    expect(others.map(({ axis }) => axis)).toEqual(['epoch'])
    const [line, ...rest] = await powerLines(config)
    expect(rest).toEqual([])
    expect(line!.power).toMatchObject({ ...width, sd: null, needed: [] })
    const few = await powerLines({ ...config, seeds: ['0', '1'] })
    expect(few[0]!.power!.smallest).toBeNull()
    expect(few[0]!.what).toContain('cannot see a peak along width')
  })

  test('is at the head of the report where it is not two standard deviations', () => {
    const [section] = sweepSummarySection({ sweep } as Results)
    expect(JSON.stringify(section)).toContain(
      'This sweep cannot see a peak along width: with 4 seeds',
    )
  })

  test('is planned with the seeds that a peak needs, in units of a pilot', async () => {
    const pilot = join(mkdtempSync(join(tmpdir(), 'touchstone-pilot-')), 'results.json')
    const all = cellRows('sweep', config, rows)
    writeFileSync(pilot, JSON.stringify(withCells(buildResults(all), all)))
    const [line] = await powerLines({ ...config, planPower: true, pilot })
    expect(line!.power!.sd).toBeGreaterThan(0)
    const seeds = line!.power!.needed.map((each) => each.seeds ?? Infinity)
    expect(seeds).toEqual(seeds.toSorted((a, b) => b - a))
    expect(seeds.at(-1)).toBeLessThan(40)
  })
})

describe('the figures', () => {
  test('show for each axis the clearest curve with its threshold, its bands and the null', () => {
    const [width, epoch, ...others] = sweepFigures(sweep)
    expect(others).toEqual([])
    expect(width!.chart).toMatchObject({ xLabel: 'width', xScale: 'log' })
    expect(epoch!.chart).toMatchObject({ xLabel: 'epoch', xScale: 'log' })
    const { series, marks } = width!.chart
    expect(series.map(({ label }) => label)).toEqual([
      'without a peak',
      'test error',
      'training error',
    ])
    expect(marks).toHaveLength(1)
    const [level, tested] = series
    expect(level!.isNull).toBe(true)
    // The best curve without a peak lies below the peak, and its band does not reach it.
    expect(level!.points[2]!.upper).toBeLessThan(tested!.points[2]!.y)
  })

  test('show all rates of a curve together where there are no errors', () => {
    const names = ['refused', 'answered']
    const metrics = names.map((name) => ({ name, title: name, unit: 'share' as const }))
    const renamed = new Map([
      ['test-error', 'refused'],
      ['train-error', 'answered'],
    ])
    const named = <T extends { readonly metric: string }>(all: readonly T[]) =>
      all.map((row) => ({ ...row, metric: renamed.get(row.metric) ?? row.metric }))
    const { summaries, descents } = sweep
    const rates = { ...sweep, metrics, summaries: named(summaries), descents: named(descents) }
    const [width] = sweepFigures(rates)
    expect(width!.chart.series.map(({ label }) => label)).toEqual(['without a peak', ...names])
    expect(width!.sentence).toContain('Holm')
  })

  test('show methods together, the one that they are held against with its range', () => {
    const effect = {
      ...{ own: 0.1, against: 0.2, difference: -0.1, lower: -0.2, upper: 0 },
      ...{ pValue: 0.01, smallest: 0.1 },
    }
    const claim = {
      ...{ line: 'ggpo', against: 'digits', axis: 'width', axes: { samples: 100 } },
      ...{ metric: 'test-error', shape: 'peak' as const, seeds: SEEDS, outcome: 'found' as const },
      ...{ height: effect, place: effect, area: effect },
    }
    const own = sweep.summaries.map((row) => ({ ...row, line: 'ggpo' }))
    const summaries = [...sweep.summaries, ...own]
    const { chart, sentence } = sweepFigures({ ...sweep, summaries, comparisons: [claim] }).at(-1)!
    expect(chart.series.map(({ label }) => label)).toEqual(['digits', 'ggpo'])
    const isBand = chart.series.map(({ points }) =>
      points.every(({ lower }) => lower !== undefined),
    )
    expect(isBand).toEqual([true, false])
    expect(chart.marks).toHaveLength(1)
    expect(sentence).toContain('“ggpo lowers the peak of digits (samples 100)”: found')
  })

  test('have a logarithmic scale where values explode', () => {
    const summaries = sweep.summaries.map((row) => {
      const factor = row.axes['width'] === 8 ? 1000 : 1
      return { ...row, median: factor * row.median, maximum: factor * row.maximum }
    })
    const scaleOf = (pictured: typeof sweep) => {
      const { yScale, format } = sweepFigures(pictured)[0]!.chart
      return [yScale, format]
    }
    const positive = summaries.filter(({ metric }) => metric === 'test-error')
    expect(scaleOf({ ...sweep, summaries: positive })).toEqual(['log', 'significant'])
    // A training error of zero stays at the foot of the scale, which says that it lies below.
    expect(summaries.some(({ median }) => median === 0)).toBe(true)
    expect(scaleOf({ ...sweep, summaries })).toEqual(['log', 'significant'])
    const { chart } = sweepFigures({ ...sweep, summaries })[0]!
    const lowest = summaries.map(({ minimum }) => minimum).filter((value) => value > 0)
    expect(chart.floor).toBeLessThanOrEqual(Math.min(...lowest))
    const picture = renderFigures({ sweep: { ...sweep, summaries } } as Results)!
    expect(picture).toContain(`>≤ ${chart.floor}<`)
    expect(picture).not.toMatch(/NaN|Infinity/u)
    expect(scaleOf(sweep)).toEqual([undefined, 'percent'])
  })

  test('are a picture that stands alone', () => {
    const picture = renderFigures({ sweep } as Results)!
    expect(picture.match(/<svg/gu)).toHaveLength(3)
    expect(picture).toContain('fits every row from')
    expect(picture).not.toMatch(/var\(|figure |NaN|undefined/u)
    expect(renderFigures({ sweep: null } as unknown as Results)).toBeUndefined()
  })
})
