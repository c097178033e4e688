/** @file What the committed table of coverage promises, and one corner of it made again. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { clopperPearson } from '../../../evals/statistics/exact-binomial.ts'
import { wilson } from '../../../evals/statistics/proportion.ts'
import { marginSize, pairedCoverage, proportionCoverage } from '../../bench/coverage.ts'
import { NOMINAL } from '../../bench/coverage-summary.ts'

const Row = z.object({
  method: z.string(),
  how: z.string(),
  n: z.int(),
  grid: z.string(),
  mean: z.number(),
  minimum: z.number(),
  at: z.string(),
  refused: z.int().optional(),
})
const path = new URL('../../golden/fixtures/coverage.json', import.meta.url)
const { coverage, sizes, repeatedSizes } = z
  .object({
    coverage: z.array(Row),
    sizes: z.array(z.looseObject({ n: z.int() })),
    repeatedSizes: z.array(z.looseObject({ prompts: z.int(), size: z.number() })).min(2),
  })
  .parse(JSON.parse(readFileSync(path, 'utf8')))
const rowsOf = (method: string) => coverage.filter((row) => row.method === method)

const onEven = (method: string) => rowsOf(method).filter(({ grid }) => grid.includes('…'))

describe('the committed table', () => {
  it.each(rowsOf('clopper-pearson'))('exact is never below nominal: n = $n', ({ minimum }) => {
    expect(minimum).toBeGreaterThanOrEqual(NOMINAL)
  })

  it.each(rowsOf('wilson'))('Wilson’s mean is within a point: n = $n', ({ mean }) => {
    expect(Math.abs(mean - NOMINAL)).toBeLessThan(0.01)
  })

  it.each(onEven('newcombe').filter(({ n }) => n >= 20))(
    'Newcombe’s mean is within a point where rates are spread evenly, as Wilson’s are: n = $n',
    ({ mean }) => {
      expect(Math.abs(mean - NOMINAL)).toBeLessThan(0.01)
    },
  )

  it.each(rowsOf('newcombe').filter(({ n, grid }) => n >= 50 && grid.includes('in 0.1, 0.3')))(
    'Newcombe’s mean is within a point on a few usual rates: n = $n',
    ({ mean }) => {
      expect(Math.abs(mean - NOMINAL)).toBeLessThan(0.01)
    },
  )

  it('Newcombe’s mean is off by more than a point on five grids, and there too wide', () => {
    const off = rowsOf('newcombe').filter(({ mean }) => Math.abs(mean - NOMINAL) >= 0.01)
    expect(off.map(({ n, grid }) => [n, grid.split(/ in |, independent/)[1]])).toEqual([
      [10, '0.02, 0.06, …, 0.98'],
      [20, '0.1, 0.3, 0.5, 0.7, 0.9'],
      ...[20, 50, 100].map((n) => [n, '0.02, 0.05, 0.95, 0.98']),
    ])
    for (const { mean } of off) expect(mean).toBeGreaterThan(NOMINAL)
  })

  it('Tango’s minimum lies above Newcombe’s under 50 pairs, and its mean is nearer from 30 on', () => {
    const pairs = onEven('tango').map((tango, i) => ({ tango, newcombe: onEven('newcombe')[i]! }))
    expect(pairs.map(({ tango }) => tango.n)).toEqual([10, 20, 30, 50, 100])
    for (const { tango, newcombe } of pairs) {
      expect(newcombe.n).toBe(tango.n)
      expect(tango.minimum > newcombe.minimum, `minimum at ${tango.n}`).toBe(tango.n < 50)
      const distance = ({ mean }: { mean: number }) => Math.abs(mean - NOMINAL)
      expect(distance(tango) < distance(newcombe), `mean at ${tango.n}`).toBe(tango.n >= 30)
    }
    // What the report says of fewer than 50 pairs.
    const few = pairs.filter(({ tango }) => tango.n < 50)
    expect(Math.min(...few.map(({ newcombe }) => newcombe.minimum))).toBeGreaterThan(0.88)
    expect(Math.min(...few.map(({ tango }) => tango.minimum))).toBeGreaterThan(0.93)
  })

  it.each([...rowsOf('rogan-gladen change'), ...rowsOf('rogan-gladen')])(
    'what is corrected for a judge loses under a point: $method, n = $n',
    ({ minimum, refused }) => {
      expect(minimum).toBeGreaterThan(NOMINAL - 0.01)
      expect(refused).toBeLessThan(2000)
    },
  )

  it('of prompts with several replies: what is said of rates, changes and the test at its margin', () => {
    for (const method of ['repeated rate', 'repeated change']) {
      expect(rowsOf(method).map(({ n }) => n)).toEqual([20, 50, 100])
    }
    for (const { minimum } of rowsOf('repeated change')) expect(minimum).toBeGreaterThan(0.94)
    for (const { minimum } of rowsOf('repeated rate')) expect(minimum).toBeGreaterThan(0.92)
    for (const { size } of repeatedSizes) expect(size).toBeLessThan(0.056)
  })

  it('says of the bootstrap how bad it gets, at 50, 100 and 250 prompts', () => {
    expect(rowsOf('bootstrap').map(({ n }) => n)).toEqual([50, 100, 250])
    for (const { minimum } of rowsOf('bootstrap')) expect(minimum).toBeLessThan(NOMINAL)
  })
})

describe('made again', () => {
  it('is the same', () => {
    expect(coverage).toContainEqual(proportionCoverage('wilson', 50, wilson))
    expect(coverage).toContainEqual(proportionCoverage('clopper-pearson', 50, clopperPearson))
    expect(coverage).toContainEqual(pairedCoverage('newcombe', 20))
    expect(coverage).toContainEqual(pairedCoverage('tango', 20))
    expect(sizes).toContainEqual(marginSize(96, 0.03))
  })
})
