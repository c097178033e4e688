/** @file Which rows are left out: those ranked first, and controls of as many, the matched ones as long and as hard. */
import { expect, test } from 'vitest'
import { leftOut } from '../../../../evals/arms/causes/left-out.ts'

/** Rows 0 to 3 score highest; 4 to 7 are their twins in length and loss; the rest is far from both. */
const rows = Array.from({ length: 40 }, (_, i) => ({
  score: i < 4 ? 10 - i : -i,
  tokens: i < 8 ? 10 + (i % 4) : 200 + i,
  loss: i < 8 ? 1 + (i % 4) : 0.1,
}))

test('the rows ranked first, and their twins', () => {
  const { ranked, matched, random } = leftOut(rows, 4, 0)
  expect(ranked).toEqual([0, 1, 2, 3])
  expect(matched).toEqual([4, 5, 6, 7])
  expect(new Set(random).size).toBe(4)
  expect(leftOut(rows, 4, 1).random).not.toEqual(random)
})

test('a matched row is taken once, and there may be too few', () => {
  const few = rows.slice(0, 6)
  const { matched } = leftOut(few, 4, 0)
  expect(matched.toSorted((a, b) => a - b)).toEqual([4, 5])
})
