/** @file What the committed table of coverage promises, and one corner of it made again. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import { z } from 'zod'
import { clopperPearson } from '../../../evals/statistics/exact-binomial.ts'
import { wilson } from '../../../evals/statistics/proportion.ts'
import { marginSize, newcombeCoverage, NOMINAL, proportionCoverage } from '../../bench/coverage.ts'

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
const { coverage, sizes } = z
  .object({ coverage: z.array(Row), sizes: z.array(z.looseObject({ n: z.int() })) })
  .parse(JSON.parse(readFileSync(path, 'utf8')))
const rowsOf = (method: string) => coverage.filter((row) => row.method === method)

describe('the committed table', () => {
  it.each(rowsOf('clopper-pearson'))('exact is never below nominal: n = $n', ({ minimum }) => {
    expect(minimum).toBeGreaterThanOrEqual(NOMINAL)
  })

  it.each(rowsOf('wilson'))('Wilson’s mean is within a point: n = $n', ({ mean }) => {
    expect(Math.abs(mean - NOMINAL)).toBeLessThan(0.01)
  })

  it.each(rowsOf('newcombe').filter(({ n, grid }) => n >= 50 && !grid.includes('0.02')))(
    'Newcombe’s mean is within a point where np is at least 5: n = $n',
    ({ mean }) => {
      expect(Math.abs(mean - NOMINAL)).toBeLessThan(0.01)
    },
  )

  it('Newcombe’s mean is off by more than a point on three grids, and there too wide', () => {
    const off = rowsOf('newcombe').filter(({ mean }) => Math.abs(mean - NOMINAL) >= 0.01)
    expect(off.map(({ n, grid }) => [n, grid.includes('0.02')])).toEqual([
      [20, false],
      [50, true],
      [100, true],
    ])
    for (const { mean } of off) expect(mean).toBeGreaterThan(NOMINAL)
  })

  it.each(rowsOf('rogan-gladen'))('corrected rates lose under a point: n = $n', ({ minimum }) => {
    expect(minimum).toBeGreaterThan(NOMINAL - 0.01)
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
    expect(coverage).toContainEqual(newcombeCoverage(20))
    expect(sizes).toContainEqual(marginSize(96, 0.03))
  })
})
