/** @file Numbers as text in every section. */
import { expect, test } from 'vitest'
import { fixed } from '../../../evals/document/view.ts'

test('a number below 0 has a minus sign, and what rounds to 0 has none', () => {
  expect([-0.123, -0.0004, 0, 1.5].map((value) => fixed(value, 2))).toEqual([
    '−0.12',
    '0.00',
    '0.00',
    '1.50',
  ])
  expect([fixed(null, 2), fixed(undefined, 2)]).toEqual(['–', '–'])
})
