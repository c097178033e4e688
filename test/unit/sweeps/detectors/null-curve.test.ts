/** @file The best curve without a peak, beside SciPy 1.17's isotonic_regression of both sides of every split. */
import { expect, test } from 'vitest'
import { withoutPeak } from '../../../../evals/sweeps/detectors/null-curve.ts'

test('is the best fit that falls, rises, or falls and then rises', () => {
  const fit = withoutPeak([5, 6.5, 3.2, 3.9, 4.1, 2, 2.6, 2.3, 3.7])
  const expected = [5.75, 5.75, 11.2 / 3, 11.2 / 3, 11.2 / 3, 2, 2.45, 2.45, 3.7]
  fit.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, 12))
})

test('leaves a curve without a peak as it is', () => {
  for (const curve of [
    [3, 2, 1],
    [1, 2, 3],
    [3, 1, 2],
    [2, 2, 2],
  ])
    expect(withoutPeak(curve)).toEqual(curve)
})
