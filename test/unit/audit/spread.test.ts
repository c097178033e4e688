/** @file A limit takes rows from the whole file, in order, none twice. */
import { expect, test } from 'vitest'
import { spread } from '../../../evals/measure/benchmark-sources.ts'

const rows = Array.from({ length: 256 }, (_, i) => i)

test('a limit spreads over the file and keeps its order', () => {
  expect(spread(rows, 4)).toEqual([0, 64, 128, 192])
  const some = spread(rows, 120)
  expect(new Set(some).size).toBe(120)
  expect([...some]).toEqual([...some].sort((a, b) => a - b))
  for (let block = 0; block < 4; block++) {
    expect(some.filter((row) => Math.floor(row / 64) === block)).toHaveLength(30)
  }
})

test('no limit, or one beyond the file, takes every row', () => {
  expect(spread(rows, null)).toBe(rows)
  expect(spread(rows, 1000)).toBe(rows)
})
