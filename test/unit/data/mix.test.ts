/** @file A mixture holds the share that was asked for, from rows of both sets, each once, the same for the same seed. */
import { expect, test } from 'vitest'
import { mixRows } from '../../../evals/data/mix.ts'
import { fc } from '../../doubles/properties.ts'

const rows = (name: string, count: number) => Array.from({ length: count }, (_, i) => `${name}${i}`)

test('the share is met to the row, whichever set is short', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 1, max: 200 }),
      fc.integer({ min: 1, max: 200 }),
      fc.double({ min: 0, max: 1, noNaN: true }),
      fc.nat(),
      (first, second, share, seed) => {
        const mixed = mixRows(rows('a', first), rows('b', second), share, seed)
        const fromSecond = mixed.filter((row) => row.startsWith('b')).length
        expect(new Set(mixed).size).toBe(mixed.length)
        expect(Math.abs(fromSecond - share * mixed.length)).toBeLessThanOrEqual(1)
        expect(mixRows(rows('a', first), rows('b', second), share, seed)).toEqual(mixed)
      },
    ),
    { seed: 7 },
  )
})

test('no share is the first set, all of it the second', () => {
  expect(mixRows(rows('a', 5), rows('b', 5), 0, 1).sort()).toEqual(rows('a', 5))
  expect(mixRows(rows('a', 5), rows('b', 5), 1, 1).sort()).toEqual(rows('b', 5))
})

test('another seed takes other rows, in another order', () => {
  const [one, two] = [1, 2].map((seed) => mixRows(rows('a', 50), rows('b', 50), 0.2, seed))
  expect(one).not.toEqual(two)
  expect(one!.toSorted()).not.toEqual(two!.toSorted())
})
