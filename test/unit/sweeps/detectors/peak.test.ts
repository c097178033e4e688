/** @file The test for a peak: false alarms, power against the committed table, where the peak is, and what is left out. */
import { readFileSync } from 'node:fs'
import { describe, expect, it } from 'vitest'
import {
  canTell,
  fullGrid,
  HEIGHTS,
  peakPower,
  powersOf,
  α,
} from '../../../../evals/sweeps/detectors/peak-power.ts'
import {
  bestTriple,
  criticalValue,
  differencesOf,
  pValue,
} from '../../../../evals/sweeps/detectors/peak-statistic.ts'
import { testForPeak, type PeakInput } from '../../../../evals/sweeps/detectors/peak.ts'
import { clopperPearson } from '../../../../evals/statistics/exact-binomial.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { falseAlarms, MONOTONE_CASES } from '../../../doubles/statistics/monotone-curves.ts'
import { counted } from '../../../doubles/tier.ts'

interface TableRow {
  readonly seeds: number
  readonly places: number
  readonly critical: number
  readonly power: Readonly<Record<string, number>>
  readonly falseAlarms: Readonly<Record<string, number>>
}
const table = JSON.parse(
  readFileSync(new URL('../../../golden/fixtures/peak-power.json', import.meta.url), 'utf8'),
) as { made: { rounds: number; manyRounds: number }; rows: TableRow[] }

/** 3.5 standard errors of a rate over `rounds`. */
const spread = (rate: number, rounds: number) => 3.5 * Math.sqrt((rate * (1 - rate)) / rounds)

/** `heights[place]` plus noise of standard deviation `sd` and a shift by seed. */
function curves(
  heights: readonly number[],
  seeds: number,
  options: { sd?: number; seed?: number },
) {
  const { sd = 1, seed = 0 } = options
  const stream = randomStream(seed, 'curves')
  const shifts = Array.from({ length: seeds }, () => 5 * stream.normal())
  return {
    x: heights.map((_, place) => 2 ** place),
    values: heights.map((height) => shifts.map((shift) => height + shift + sd * stream.normal())),
  }
}
const FALLING_TWICE = [6, 5, 4, 7.5, 3, 2, 1]

describe('false alarms', () => {
  const ROUNDS = counted(500, 1500)
  it.each([
    [5, 6],
    [10, 4],
    [3, 5],
  ])('at most 5 % for %i seeds and %i places on every curve without a peak', (seeds, places) => {
    const rates = MONOTONE_CASES.map((each) => [
      each.name,
      falseAlarms(each, fullGrid(seeds, places), { seed: 2, rounds: ROUNDS }),
    ])
    expect(rates.filter(([, rate]) => Number(rate) > 0.05 + spread(0.05, ROUNDS))).toEqual([])
  })

  it('the committed table has none above 5 %, its own Monte-Carlo error included', () => {
    const rates = table.rows.flatMap((row) => Object.values(row.falseAlarms))
    expect(rates).toHaveLength(16 * MONOTONE_CASES.length)
    // Rates near α are of `manyRounds` rounds; the limit is that of the critical value itself, 99.9 %.
    const { manyRounds } = table.made
    const largest = Math.max(...rates)
    const limit = clopperPearson(Math.round(largest * manyRounds), manyRounds, 0.998).upper
    expect(limit).toBeLessThanOrEqual(0.05)
    expect(largest).toBeGreaterThan(0.04)
  })

  it('the bound is needed: a flat curve’s own T would alarm far too often before a cliff', () => {
    const grid = fullGrid(5, 6)
    const T = (mean: (share: number) => number, label: string) => {
      const stream = randomStream(0, label)
      return Array.from({ length: 2000 }, () => {
        const y = grid.y.map((_, at) => mean((at % 6) / 5) + stream.normal())
        return bestTriple(differencesOf({ ...grid, y }))!.height
      }).sort((a, b) => a - b)
    }
    const flat = T(() => 0, 'flat')[1900]!
    const cliff = T((share) => (share === 1 ? -1e4 : 0), 'cliff')
    expect(cliff.filter((t) => t >= flat).length / 2000).toBeGreaterThan(0.1)
  })
})

describe('power', () => {
  it('is in the table for 5 and 10 seeds, 4 to 11 places, and grows with height and seeds', () => {
    expect(table.rows.map(({ seeds, places }) => `${seeds} × ${places}`)).toEqual(
      [5, 10].flatMap((seeds) =>
        [4, 5, 6, 7, 8, 9, 10, 11].map((places) => `${seeds} × ${places}`),
      ),
    )
    for (const { seeds, places, power } of table.rows) {
      expect(power['2']).toBeGreaterThan(power['1']!)
      expect(power['1']).toBeGreaterThan(power['0.5']!)
      const more = table.rows.find((row) => row.seeds === 10 && row.places === places)!
      if (seeds === 5) expect(more.power['2']).toBeGreaterThan(power['2']!)
    }
  })

  it.each([
    [5, 4],
    [10, 6],
  ])('is what the table says for %i seeds and %i places, simulated anew', (seeds, places) => {
    const row = table.rows.find((each) => each.seeds === seeds && each.places === places)!
    const grid = fullGrid(seeds, places)
    expect(criticalValue(grid, α)).toBeCloseTo(row.critical, 9)
    for (const height of HEIGHTS) {
      const expected = row.power[height]!
      const anew = peakPower(grid, height, { seed: 77, rounds: 2000 })
      const error = spread(expected, 2000) + spread(expected, table.made.rounds)
      expect(Math.abs(anew - expected)).toBeLessThan(error)
    }
  })

  it('says who can tell: 10 seeds see 2 standard deviations, 3 seeds do not', () => {
    expect(canTell(powersOf(fullGrid(10, 6)))).toBe(true)
    expect(canTell(powersOf(fullGrid(3, 6)))).toBe(false)
    expect(canTell([])).toBe(false)
  })
})

describe('the finding', () => {
  it('finds a clear peak, where it is and how high', () => {
    const finding = testForPeak(curves(FALLING_TWICE, 10, { sd: 0.7 }))
    expect(finding).toMatchObject({ verdict: 'peak', reason: null, seeds: 10, places: 7 })
    expect(finding.p).toBeLessThanOrEqual(0.05)
    const { found } = finding
    expect(found).toMatchObject({ x: 8, seedsAsked: 10 })
    expect(found!.lower).toBeLessThanOrEqual(8)
    expect(found!.upper).toBeGreaterThanOrEqual(8)
    expect(Math.abs(found!.rise - 3.5)).toBeLessThan(1)
    expect(Math.abs(found!.fall - 6.5)).toBeLessThan(1)
    expect(found!.height).toBe(Math.min(found!.rise, found!.fall))
    expect(Math.abs(found!.heightInSds - 5)).toBeLessThan(1.7)
    expect(found!.seedsWithPeak).toBeGreaterThanOrEqual(9)
  })

  it('the interval of the place holds the place in nine sweeps of ten', () => {
    const sweeps = counted(20, 60)
    const held = Array.from({ length: sweeps }, (_, seed) => {
      const { found } = testForPeak(curves([0, 0, 0, 2, 1, 0, 0], 10, { seed }))
      return found !== null && found.lower <= 8 && found.upper >= 8
    })
    expect(held.filter(Boolean).length).toBeGreaterThanOrEqual(0.9 * sweeps)
  })

  it('sees none in a falling curve, and cannot tell with three seeds', () => {
    const falling = [6, 5, 4, 3, 2, 1]
    expect(testForPeak(curves(falling, 10, {}))).toMatchObject({ verdict: 'no peak seen' })
    const few = testForPeak(curves(falling, 3, {}))
    expect(few.verdict).toBe('cannot tell')
    expect(few.reason).toContain('less than half of the time')
    expect(few.power.map(({ height }) => height)).toEqual([0.5, 1, 2])
  })

  it('a valley is a peak turned over', () => {
    const input = curves(FALLING_TWICE, 8, { sd: 0.7 })
    const turned = { ...input, values: input.values.map((row) => row.map((value) => -value)) }
    const { shape, without, ...valley } = testForPeak(turned, { shape: 'valley' })
    expect(shape).toBe('valley')
    const peak = testForPeak(input)
    expect(peak).toMatchObject(valley)
    expect(without.map(({ y, lower, upper }) => [y, lower, upper])).toEqual(
      peak.without.map(({ y, lower, upper }) => [-y, -upper, -lower]),
    )
  })

  it('logarithms tame errors that vary by factors', () => {
    const { x, values } = curves(FALLING_TWICE, 10, { sd: 0.7 })
    const raised = { x, values: values.map((row) => row.map((value) => Math.exp(value))) }
    const log = testForPeak(raised, { scale: 'log' })
    expect(log).toMatchObject({ verdict: 'peak', scale: 'log', found: { x: 8 } })
    expect(log.p).toBeCloseTo(testForPeak({ x, values }).p!, 9)
    expect(testForPeak(raised).p).toBeGreaterThan(log.p!)
  })

  it('units do not matter, and the same input gives the same finding', () => {
    const input = curves([3, 2, 3.4, 2, 1], 6, {})
    const scaled = { ...input, values: input.values.map((row) => row.map((v) => 1e6 * v - 3e5)) }
    const [plain, moved] = [testForPeak(input), testForPeak(scaled)]
    expect(moved.p).toBeCloseTo(plain.p!, 9)
    expect(moved.found!.heightInSds).toBeCloseTo(plain.found!.heightInSds, 6)
    expect(testForPeak(input)).toEqual(plain)
  })
})

describe('cells that are missing', () => {
  const full = curves(FALLING_TWICE, 10, { sd: 0.7 })
  const without = (isGone: (place: number, seed: number) => boolean): PeakInput => ({
    x: full.x,
    values: full.values.map((row, place) =>
      row.map((value, seed) => (isGone(place, seed) ? [NaN, null, undefined][seed % 3] : value)),
    ),
  })

  it('are dropped and counted, and the rest still speaks', () => {
    const finding = testForPeak(without((place, seed) => (place + 3 * seed) % 11 === 0))
    expect(finding).toMatchObject({ verdict: 'peak', droppedPlaces: [], found: { x: 8 } })
    expect(finding.droppedCells).toBeGreaterThan(3)
  })

  it('a place with fewer than three values goes', () => {
    const finding = testForPeak(without((place, seed) => place === 1 && seed > 1))
    expect(finding).toMatchObject({ places: 6, droppedPlaces: [2], droppedCells: 8 })
    expect(finding.verdict).toBe('peak')
  })

  it('a zero among errors is no reason to drop the best seeds: the scale stays linear', () => {
    const values = full.values.map((row) => row.map((value) => Math.exp(value)))
    const zeroed = values.map((row, place) => (place === 6 ? [0, ...row.slice(1)] : row))
    expect(testForPeak({ x: full.x, values }, { scale: 'log' }).scale).toBe('log')
    const finding = testForPeak({ x: full.x, values: zeroed }, { scale: 'log' })
    expect(finding).toMatchObject({ scale: 'linear', droppedCells: 0 })
    expect(finding).toEqual(testForPeak({ x: full.x, values: zeroed }))
  })

  it('infinite values are dropped, on either scale', () => {
    const values = full.values.map((row) => [Infinity, -Infinity, ...row.slice(2)])
    expect(testForPeak({ x: full.x, values }).droppedCells).toBe(14)
  })
})

describe('cannot tell', () => {
  const cases: [string, PeakInput, string][] = [
    ['nothing', { x: [], values: [] }, '0 seeds'],
    [
      'two seeds',
      {
        x: [1, 2, 3],
        values: [
          [1, 2],
          [3, 4],
          [1, 2],
        ],
      },
      '2 seeds',
    ],
    [
      'two places',
      {
        x: [1, 2],
        values: [
          [1, 2, 3],
          [3, 4, 6],
        ],
      },
      '2 places',
    ],
    [
      'no noise',
      {
        x: [1, 2, 3],
        values: [
          [1, 1, 1],
          [2, 2, 2],
          [1, 1, 1],
        ],
      },
      'do not differ',
    ],
    [
      'seeds that share no places',
      {
        x: [1, 2, 3],
        values: [
          [1, 2, 3, null, null, null],
          [null, null, null, 1, 2, 3],
          [1, 2, 4, null, null, null],
        ],
      },
      'no inner place shares',
    ],
  ]
  it.each(cases)('%s', (_, input, reason) => {
    const finding = testForPeak(input)
    expect(finding).toMatchObject({ verdict: 'cannot tell', p: null, found: null })
    expect(finding.reason).toContain(reason)
  })

  it('values that do not belong to an x are a bug of the caller', () => {
    expect(() => testForPeak({ x: [1, 2], values: [[1]] })).toThrow('internal:')
    expect(() => testForPeak({ x: [2, 1, 3], values: [[1], [1], [1]] })).toThrow('internal:')
  })
})

describe('the statistic', () => {
  it('is what its formula says, by hand', () => {
    // Differences 1 − 0: 1, 2, 3 (mean 2, variance 1); 2 − 1: −4, −4, −4 (0); 2 − 0: −3, −2, −1 (1). v̄ = 2/3.
    const y = Float64Array.of(0, 1, -3, 0, 2, -2, 0, 3, -1)
    const differences = differencesOf({ seeds: 3, places: 3, y })
    expect(differences.pooledVariance).toBeCloseTo(2 / 3, 12)
    const T = Math.min(2 / Math.sqrt(1 / 3), 4 / Math.sqrt(2 / 9))
    expect(bestTriple(differences)).toMatchObject({ i: 0, j: 1, k: 2 })
    expect(bestTriple(differences)!.height).toBeCloseTo(T, 12)
  })

  it('p falls from 1 to the 99.9 % limit of none in 40,000 and crosses 5 % at the critical value', () => {
    const grid = fullGrid(5, 5)
    const critical = criticalValue(grid, 0.05)
    expect(pValue(grid, -100)).toBe(1)
    expect(pValue(grid, 1e9)).toBeCloseTo(1 - 0.001 ** (1 / 40_000), 9)
    expect(pValue(grid, critical)).toBeLessThanOrEqual(0.05)
    expect(pValue(grid, critical - 0.02)).toBeGreaterThan(0.05)
  })
})
