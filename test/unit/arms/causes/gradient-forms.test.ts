/** @file A projection keeps inner products in the mean, leaves short sides alone, and never mixes tensors. */
import { expect, test } from 'vitest'
import { inner, projectionOf } from '../../../../evals/arms/causes/gradient-forms.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const slice = (name: string, shape: number[], start: number) => {
  const size = shape.reduce((product, n) => product * n, 1)
  return { name, shape, start, end: start + size, learningRateScale: 1 }
}

test('the inner product of projected vectors is that of the vectors, up to chance', () => {
  const { normal } = randomStream(0, 'vectors')
  const count = 40
  const slices = Array.from({ length: count }, (_, i) => slice(`layer ${i}`, [30, 20], i * 600))
  const a = Float64Array.from({ length: 600 * count }, normal)
  const b = a.map((x) => x + 0.5 * normal())
  const project = projectionOf(slices, 8)
  const [near, far] = [project(a), project(b)]
  expect(near.length).toBe(64 * count)
  expect(inner(near, far) / inner(a, b)).toBeGreaterThan(0.9)
  expect(inner(near, far) / inner(a, b)).toBeLessThan(1.1)
})

test('a side of at most k numbers stays, and a tensor that is fixed is left out', () => {
  const slices = [slice('A', [2, 3], 0), { ...slice('fixed', [4], 6), learningRateScale: 0 }]
  const vector = Float64Array.of(1, 2, 3, 4, 5, 6, 7, 8, 9, 10)
  expect([...projectionOf(slices, 3)(vector)]).toEqual([1, 2, 3, 4, 5, 6])
  expect(projectionOf(slices, 2)(vector)).toHaveLength(4)
  expect(projectionOf(slices, null)(vector)).toBe(vector)
})
