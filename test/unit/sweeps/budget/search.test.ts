/** @file The search for the smallest budget that fails, against lines whose truth is known. */
import { describe, expect, test } from 'vitest'
import { fc } from '../../../doubles/properties.ts'
import {
  bracketOf,
  isMonotone,
  nextBudget,
  type Found,
} from '../../../../evals/sweeps/budget/search.ts'

function searched(truth: (at: number) => Found, count: number, line = 'a line') {
  const known = new Map<number, Found>()
  for (let at = nextBudget(known, count, line); at !== undefined;) {
    expect(known.has(at), 'a budget is tried once').toBe(false)
    known.set(at, truth(at))
    at = nextBudget(known, count, line)
  }
  return known
}

const from = (first: number) => (at: number) => (at >= first ? 'failed' : 'held') as Found

describe('a line that fails from one budget on', () => {
  test('is bracketed at any place, with few tries', () => {
    fc.assert(
      fc.property(
        fc.integer({ min: 2, max: 200 }),
        fc.nat(220),
        fc.string(),
        (count, first, line) => {
          const known = searched(from(first), count, line)
          const never = first >= count
          expect(bracketOf(known)).toEqual({
            failed: never ? null : first,
            held: never ? count - 1 : first === 0 ? null : first - 1,
          })
          expect(isMonotone(known)).toBe(true)
          expect(known.size).toBeLessThanOrEqual(never ? 1 : Math.ceil(Math.log2(count)) + 4)
        },
      ),
    )
  })

  test('is found the same whatever was tried before in another order', () => {
    const whole = searched(from(11), 32)
    const resumed = new Map([...whole].filter(([at]) => at % 2 === 1))
    for (let at = nextBudget(resumed, 32, 'a line'); at !== undefined;) {
      resumed.set(at, from(11)(at))
      at = nextBudget(resumed, 32, 'a line')
    }
    expect(bracketOf(resumed)).toEqual(bracketOf(whole))
  })
})

test('a line that holds again above its failures is seen, and its smallest failure stands', () => {
  const truth = (at: number): Found => (at === 5 || at === 31 ? 'failed' : 'held')
  const lines = Array.from({ length: 40 }, (_, i) => searched(truth, 32, `line ${i}`))
  for (const known of lines)
    expect(bracketOf(known).failed).toSatisfy((at) => at === 5 || at === 31)
  const odd = new Map<number, Found>([
    [31, 'failed'],
    [5, 'failed'],
    [20, 'held'],
  ])
  expect(isMonotone(odd)).toBe(false)
  expect(bracketOf(odd)).toEqual({ failed: 5, held: null })
})

test('an error ends its line', () => {
  expect(nextBudget(new Map([[7, 'error']]), 8, 'a line')).toBeUndefined()
})
