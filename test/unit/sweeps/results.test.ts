/** @file What a sweep's rows say together, with planted truth; and the page that shows it. */
import { describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import { Results } from '../../../evals/contract/results.ts'
import type { CellRow } from '../../../evals/contract/sweeps.ts'
import { sweepFigures } from '../../../evals/document/charts/sweep-figures.ts'
import { renderFigures } from '../../../evals/document/figures-svg.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { planCells } from '../../../evals/sweeps/cells/cell.ts'
import { SweepConfig } from '../../../evals/sweeps/config.ts'
import { median } from '../../../evals/statistics/median.ts'
import { descentRows } from '../../../evals/sweeps/findings.ts'
import { measuresFor } from '../../../evals/sweeps/metrics.ts'
import { sweepOf, withCells } from '../../../evals/sweeps/results.ts'
import { cellRows } from '../../doubles/rows/cell-rows.ts'

const FEATURES = [10, 20, 40, 80, 160]
const config = SweepConfig.parse({
  testbed: 'random-features',
  axes: [`features=${FEATURES.join(',')}`],
  seeds: ['0..9'],
})
const planned = planCells(config, { base: null, data: null, prompts: null, numerics: '1' })

/** ±10 % between seeds, nothing random. */
const wobble = (seed: number, features: number) => 1 + 0.1 * Math.sin(seed * 7 + features)

const rowsOf = (errorAt: (features: number) => number, own: Partial<CellRow> = {}): CellRow[] =>
  planned.map((cell) => {
    const features = cell.spec.axes['features']!
    const value = errorAt(features) * wobble(cell.spec.seed, features)
    const metrics = [{ name: 'test-error', value }]
    return { ...cell, status: 'done', error: null, metrics, curves: [], seconds: 1, ...own }
  })

const auditRows = (cells: readonly CellRow[], kind = 'sweep') => cellRows(kind, config, cells)

const peaked = (features: number) => ({ 10: 1, 20: 2, 40: 50, 80: 1, 160: 0.5 })[features]!
const falling = (features: number) => 10 / features

describe('the section', () => {
  test('is absent for a run that is no sweep', () => {
    expect(sweepOf(auditRows([], 'audit'))).toBeNull()
  })

  test('finds a planted peak, where it is, and says so', () => {
    const [row, ...others] = sweepOf(auditRows(rowsOf(peaked)))!.descents
    expect(others).toEqual([])
    expect(row).toMatchObject({ outcome: 'peak', peak: 40, extreme: 40, seeds: 10 })
    expect(row!.sentence).toContain('inner peak at features 40')
    expect(row!.power.map(({ height }) => height)).toEqual([0.5, 1, 2])
  })

  test('finds none in a curve that falls', () => {
    const [row] = sweepOf(auditRows(rowsOf(falling)))!.descents
    expect(row!.outcome).toBe('no peak seen')
    expect(row!.extreme).toBe(10)
  })

  test('looks for a low and for a peak of a rate: either may be', () => {
    const rate = { name: 'test-error', title: 'Rate', role: 'refusal' as const }
    const measures = measuresFor(new Set(['test-error']), [rate]).slice(0, 1)
    const axis = { name: 'features', title: 'Features', scale: 'log' as const, values: FEATURES }
    const found = (errorAt: (features: number) => number) =>
      descentRows(rowsOf(errorAt), [axis], measures).map(({ shape, outcome }) => [shape, outcome])
    expect(found(peaked)).toEqual([
      ['valley', 'no peak seen'],
      ['peak', 'peak'],
    ])
    expect(found((features) => 60 - peaked(features))).toEqual([
      ['valley', 'peak'],
      ['peak', 'no peak seen'],
    ])
  })

  test('sums seeds up: median, mean, lowest and highest of exactly those that are done', () => {
    const rows = rowsOf(falling).map((row) =>
      row.spec.seed === 9 ? { ...row, status: 'failed' as const, metrics: [] } : row,
    )
    const { summaries, cells } = sweepOf(auditRows(rows))!
    expect(cells).toHaveLength(50)
    const at = summaries.find(({ axes }) => axes['features'] === 20)!
    const values = Array.from({ length: 9 }, (_, seed) => 0.5 * wobble(seed, 20))
    expect(at).toMatchObject({
      seeds: 9,
      median: median(values),
      minimum: Math.min(...values),
      maximum: Math.max(...values),
    })
    expect(at.mean).toBeCloseTo(values.reduce((sum, value) => sum + value, 0) / 9, 12)
  })

  test('joins curves at the steps that every seed has, and looks for a rebound in each', () => {
    const loss = (seed: number, steps: number) => ({
      name: 'train-loss',
      x: Array.from({ length: steps }, (_, i) => i + 1),
      y: Array.from({ length: steps }, (_, i) => 2 ** (-i / 20) + seed),
    })
    const rows = rowsOf(falling)
      .filter(({ spec }) => spec.axes['features'] === 10 && spec.seed < 3)
      .map((row) => ({ ...row, curves: [loss(row.spec.seed, row.spec.seed === 2 ? 40 : 60)] }))
    const { curves, rebounds } = sweepOf(auditRows(rows))!
    expect(curves).toHaveLength(1)
    expect(curves[0]!.points.map(({ x }) => x)).toEqual(Array.from({ length: 40 }, (_, i) => i + 1))
    expect(curves[0]!.points[0]).toEqual({ x: 1, median: 2, minimum: 1, maximum: 3 })
    expect(rebounds.map(({ outcome }) => outcome)).toEqual(['none', 'none', 'none'])
  })
})

describe('the page', () => {
  const page = (rows: readonly CellRow[]) => {
    const all = auditRows(rows)
    const results = withCells(buildResults(all), all)
    // What is written is what the schema says.
    expect(Results.parse(JSON.parse(JSON.stringify(results)))).toEqual(
      JSON.parse(JSON.stringify(results)),
    )
    return renderReport(results)
  }

  test('shows the chart, a dot a seed, a table below it, and no verdict', () => {
    const text = page(rowsOf(peaked))
    expect(text.match(/class="seed-dot"/g)).toHaveLength(50)
    expect(text).toContain('Test error, along features')
    expect(text).toContain('The numbers: Test error')
    expect(text).toContain('Test-error double descent')
    expect(text.slice(text.indexOf('<body'))).not.toMatch(
      /INCONCLUSIVE|NaN|Infinity|undefined|\[object/,
    )
  })

  test('says what failed and how to run it again, and escapes it', () => {
    const error = { code: 'internal', message: '<script>alert(1)</script>', remedy: '' }
    const failed = rowsOf(falling).map((row) =>
      row.position === 3 ? { ...row, status: 'failed' as const, error, metrics: [] } : row,
    )
    const text = page(failed)
    expect(text).toContain('--retry-errors')
    expect(text).toContain('&lt;script&gt;')
    expect(text).not.toContain('<script')
    expect(text).toContain('1 of 50 cells failed')
  })

  test('can be made where every cell failed, or none was run', () => {
    const error = { code: 'internal', message: 'm', remedy: 'r' }
    expect(page(rowsOf(falling, { status: 'failed', error, metrics: [] }))).toContain('50 of 50')
    expect(page([])).toContain('No cell was finished.')
  })
})

describe('lines of methods', () => {
  const RANKS = [1, 2, 4]
  const methods = [
    { name: 'lora', config: { rank: 8 } },
    { name: 'ggpo', arm: 'noisy', config: { sigma: 0.1 } },
  ]
  const tuned = SweepConfig.parse({
    ...{ testbed: 'digits-tuned', methods, axes: [`rank=${RANKS.join(',')}`], seeds: ['0..9'] },
  })
  const rows = planCells(tuned, { base: null, data: null, prompts: null, numerics: '' }).map(
    (cell): CellRow => {
      const { line, axes, seed } = cell.spec
      const rank = axes['rank']!
      const height = line === 'lora' ? 0.2 : 0.1
      const error = (0.1 + (rank === 2 ? height : 0)) * wobble(seed, rank)
      const values = { 'test-error': error, 'largest-eigenvalue': 8 / rank, 'hessian-trace': 80 }
      const metrics = Object.entries(values).map(([name, value]) => ({ name, value }))
      return { ...cell, status: 'done', error: null, metrics, curves: [], seconds: 1 }
    },
  )
  const all = cellRows('sweep', tuned, rows)

  test('are named with settings that are not the method’s own, and their peaks compared', () => {
    const { lines, comparisons } = sweepOf(all)!
    expect(lines).toEqual([
      { name: 'lora', title: 'LoRA' },
      { name: 'noisy', title: 'LoRA-GGPO (sigma 0.1)' },
    ])
    const [row, ...others] = comparisons!
    expect(others).toEqual([])
    expect(row).toMatchObject({ line: 'noisy', against: 'lora', seeds: 10, outcome: 'found' })
    expect(row!.height.difference).toBeCloseTo(-0.1, 1)
  })

  test('are shown with what lies beside the test error in one figure', () => {
    const text = renderReport(withCells(buildResults(all), all))
    expect(text).toContain('What the methods do to the peak')
    expect(text).toContain('noisy lowers the peak of lora')
    expect(text).toContain('Beside the test error: noisy')
    expect(text).toContain('Sharpness: largest eigenvalue of the Hessian')
  })

  test('have what lies beside the error of the one that others are held against in the picture too', () => {
    const { chart } = sweepFigures(sweepOf(all)!).at(-1)!
    expect(chart.title).toBe('Beside the test error: lora')
    const drawn = chart.series.map(({ label }) => label)
    expect(drawn).toContain('Sharpness: largest eigenvalue of the Hessian')
    expect(Math.max(...chart.series.flatMap(({ points }) => points.map(({ y }) => y)))).toBe(1)
    const picture = renderFigures(withCells(buildResults(all), all))!
    expect(picture).toContain('Beside the test error: lora')
  })
})
