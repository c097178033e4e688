/** @file Height, place and area of a peak by hand, and paired differences against scipy 1.17.1's paired t-test. */
import { expect, test } from 'vitest'
import { pairedEffect, peakSize } from '../../../../evals/sweeps/detectors/peak-effect.ts'
import { fc } from '../../../doubles/properties.ts'

const U = [0, 1, 2, 3, 4]

test('a peak above the lower of both sides, where it is, and the area of its excess', () => {
  // The envelope is 1, 2, 2, 2, 2.
  expect(peakSize(U, [1, 3, 7, 4, 2])).toEqual({ height: 5, place: 2, area: 8 })
})

test.each([
  ['falls', [5, 4, 3, 2, 1]],
  ['rises', [1, 2, 3, 3, 9]],
  ['falls and rises', [5, 2, 1, 4, 6]],
  ['is flat', [2, 2, 2, 2, 2]],
])('a curve that %s has none, and the middle of the axis stands for its place', (_, y) => {
  expect(peakSize(U, y)).toEqual({ height: 0, place: 2, area: 0 })
})

test('a second, lower peak adds to the area alone', () => {
  const one = peakSize(U, [0, 4, 0, 0, 0])
  const two = peakSize(U, [0, 4, 0, 2, 0])
  expect([one.height, two.height, one.place, two.place]).toEqual([4, 4, 1, 1])
  expect([one.area, two.area]).toEqual([4, 6])
})

test('no curve lies below its envelope, and a constant does not change a peak', () => {
  const curves = fc.array(fc.integer({ min: -50, max: 50 }), { minLength: 3, maxLength: 8 })
  fc.assert(
    fc.property(curves, fc.integer({ min: -9, max: 9 }), (y, c) => {
      const u = y.map((_, i) => i)
      const size = peakSize(u, y)
      expect(size.height).toBeGreaterThanOrEqual(0)
      expect(size.area).toBeGreaterThanOrEqual(size.height > 0 ? size.height : 0)
      expect(
        peakSize(
          u,
          y.map((value) => value + c),
        ),
      ).toEqual(size)
    }),
    { numRuns: 200 },
  )
})

test('pairs: scipy.stats.ttest_rel of the same numbers', () => {
  const own = [5.1, 4.2, 6.3, 3.9, 5.5, 4.8]
  const against = [6.0, 5.9, 6.1, 5.2, 7.0, 5.0]
  const found = pairedEffect(own, against)
  expect(found.difference).toBeCloseTo(-0.9, 12)
  expect(found.pValue).toBeCloseTo(0.033210878124, 10)
  expect([found.lower, found.upper].map((x) => x.toFixed(8))).toEqual([
    '-1.69369533',
    '-0.10630467',
  ])
  expect(found.smallest).toBeCloseTo(1.0776145521, 8)
})

test('pairs that are the same differ by nothing, with certainty', () => {
  expect(pairedEffect([1, 2, 3], [1, 2, 3])).toMatchObject({
    ...{ difference: 0, lower: 0, upper: 0, pValue: 1, smallest: 0 },
  })
})
