/** @file Survival against lifelines and SciPy (test/golden/make-survival.py), and what few lifetimes can tell. */
import { describe, expect, it } from 'vitest'
import { randomStream } from '../../../evals/statistics/random.ts'
import {
  logRank,
  logRankByPermutation,
  medianLifetime,
  survivalCurve,
  type Lifetime,
} from '../../../evals/statistics/survival.ts'
import golden from '../../golden/fixtures/survival.json' with { type: 'json' }

interface Group {
  readonly times: readonly number[]
  readonly failed: readonly boolean[]
}
const lifetimes = ({ times, failed }: Group): Lifetime[] =>
  times.map((time, i) => ({ time, hasFailed: failed[i]! }))

const failing = (...times: number[]) => times.map((time) => ({ time, hasFailed: true }))
const whole = (time: number) => ({ time, hasFailed: false })

describe('a survival curve', () => {
  it.each(golden.curves)('is Kaplan and Meier’s, $points.length points', ({ points, ...group }) => {
    const curve = survivalCurve(lifetimes(group))
    expect(curve.map(({ time }) => time)).toEqual(points.map(({ time }) => time))
    for (const [i, point] of curve.entries()) {
      const { surviving, isComplete, exact, logLog } = points[i]!
      expect(point.surviving).toBeCloseTo(surviving, 12)
      const [lower, upper] = isComplete ? exact : logLog
      expect(point.lower).toBeCloseTo(lower!, isComplete ? 9 : 6)
      expect(point.upper).toBeCloseTo(upper!, isComplete ? 9 : 6)
    }
  })

  it('of five tells nothing of how early the median may be, of six it does', () => {
    expect(medianLifetime(failing(1, 2, 3, 4, 5)).lower).toBeNull()
    expect(medianLifetime(failing(1, 2, 3, 4, 5, 6))).toMatchObject({ lower: 1, upper: 6 })
  })

  it('has no median where most never failed', () => {
    const lives = [...failing(3, 4), whole(9), whole(9), whole(9), whole(9), whole(9), whole(9)]
    expect(medianLifetime(lives)).toEqual({ median: null, lower: 3, upper: null })
  })
})

describe('the log-rank test', () => {
  it.each(golden.pairs)('is SciPy’s, p = $p', ({ groups, z, p }) => {
    const [first, second] = groups.map(lifetimes)
    const found = logRank([{ first: first!, second: second! }])
    expect(found.z).toBeCloseTo(z, 10)
    expect(found.pValue).toBeCloseTo(p, 10)
  })

  it('finds nothing where nothing failed, and by permutation what is as extreme as can be', () => {
    const stream = () => randomStream(1, 'deals')
    const alike = { first: [whole(9), whole(9)], second: [whole(9)] }
    expect(logRank([alike])).toEqual({ z: 0, pValue: 1 })
    expect(logRankByPermutation([alike], 99, stream())).toBe(1)
    const apart = { first: failing(1, 2, 3, 4), second: failing(5, 6, 7, 8) }
    // 2 of the 70 deals are as extreme.
    expect(logRankByPermutation([apart], 9999, stream())).toBeCloseTo(2 / 70, 2)
  })

  it('compares within strata: a difference between strata is none between groups', () => {
    const strata = [
      { first: failing(1, 2, 1), second: failing(2, 1, 1) },
      { first: failing(90, 80), second: failing(80, 90, 90) },
    ]
    expect(logRank(strata).pValue).toBeGreaterThan(0.3)
    expect(logRankByPermutation(strata, 999, randomStream(2, 'deals'))).toBeGreaterThan(0.3)
  })
})
