/** @file The grid language: ranges, lists, and what is refused. */
import { describe, expect, test } from 'vitest'
import { parseAxis, parseSeeds } from '../../../../evals/sweeps/cells/values.ts'

describe('axes', () => {
  test.each([
    ['rank=1,4,16', [1, 4, 16]],
    ['rank=1..256', [1, 2, 4, 8, 16, 32, 64, 128, 256]],
    ['rank=3..20', [3, 6, 12]],
    ['rank=16,4,4', [4, 16]],
    ['lr=1e-4, 5e-4', [1e-4, 5e-4]],
    ['steps=10,20..80', [10, 20, 40, 80]],
  ])('%s', (text, values) => {
    expect(parseAxis(text).values).toEqual(values)
  })

  test.each([
    'rank',
    'rank=',
    '=1,2',
    'rank=a',
    'rank=1,,2',
    'rank=0..8',
    'rank=8..1',
    'rank=1..2..4',
    'rank=..4',
    'rank=1..',
    'rank=Infinity',
    'rank=-1..5',
  ])('refuses %s', (text) => {
    expect(() => parseAxis(text)).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
  })
})

describe('seeds', () => {
  test.each([
    [['0..4'], [0, 1, 2, 3, 4]],
    [
      ['3', '1', '3'],
      [1, 3],
    ],
    [
      ['7', '0..1'],
      [0, 1, 7],
    ],
  ])('%j', (items, seeds) => {
    expect(parseSeeds(items)).toEqual(seeds)
  })

  test.each([['-1'], ['0.5'], ['x'], ['4..0'], ['0..100000'], ['']])('refuses %s', (item) => {
    expect(() => parseSeeds([item])).toThrow(expect.objectContaining({ code: 'usage.invalid' }))
  })
})
