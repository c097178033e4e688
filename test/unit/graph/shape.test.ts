/** @file Shapes with symbols: one form for a product, NumPy's broadcasting, and values read off what is fed. */
import { describe, expect, test } from 'vitest'
import {
  broadcast,
  multiply,
  normaliseAxis,
  pieceOf,
  sameShape,
  ShapeError,
} from '../../../evals/graph/shape.ts'
import type { Dim } from '../../../evals/graph/value.ts'
import { bindSymbols, evaluate } from '../../../evals/runtime/bindings.ts'
import { fc } from '../../doubles/properties.ts'

const dim = fc.oneof(fc.integer({ min: 1, max: 9 }), fc.constantFrom('batch', 'seq', '3*seq'))
const bindings = new Map([
  ['batch', 5],
  ['seq', 7],
])

describe('multiply', () => {
  test.each<[Dim[], Dim]>([
    [[], 1],
    [[2, 3], 6],
    [['seq', 'batch'], 'batch*seq'],
    [['seq', 2, 'batch', 3], '6*batch*seq'],
    [['batch*seq', 'seq'], 'batch*seq*seq'],
    [[1, 'seq'], 'seq'],
    [[0, 'seq'], 0],
    [['2*seq', '3*batch'], '6*batch*seq'],
  ])('%j is %s', (dims, expected) => expect(multiply(...dims)).toBe(expected))

  test('has one form in any order and grouping, and its value is the product of the values', () => {
    fc.assert(
      fc.property(fc.array(dim, { maxLength: 6 }), fc.nat(6), (dims, at) => {
        const whole = multiply(...dims)
        expect(multiply(...dims.toReversed())).toBe(whole)
        expect(multiply(multiply(...dims.slice(0, at)), multiply(...dims.slice(at)))).toBe(whole)
        const product = dims.reduce<number>((p, each) => p * evaluate(each, bindings), 1)
        expect(evaluate(whole, bindings)).toBe(product)
      }),
    )
  })
})

describe('broadcast', () => {
  test.each<[Dim[], Dim[], Dim[]]>([
    [[], [], []],
    [[2, 3], [], [2, 3]],
    [[2, 3], [3], [2, 3]],
    [[3], [2, 3], [2, 3]],
    [
      ['rows', 1],
      [1, 4],
      ['rows', 4],
    ],
    [[1], ['rows'], ['rows']],
    [['rows'], ['rows'], ['rows']],
  ])('%j with %j is %j', (a, b, expected) => {
    expect(broadcast('Add', a, b)).toEqual(expected)
    expect(broadcast('Add', b, a)).toEqual(expected)
  })

  test.each<[Dim[], Dim[]]>([
    [[2], [3]],
    [['rows'], [3]],
    [['rows'], ['columns']],
    [
      [2, 1],
      [3, 4],
    ],
  ])('%j with %j is refused by name', (a, b) => {
    expect(() => broadcast('Add', a, b)).toThrow(ShapeError)
    expect(() => broadcast('Add', a, b)).toThrow(/^internal: Add cannot take shapes \[/)
  })
})

test('axes count from the end when negative, and must exist', () => {
  expect(normaliseAxis('Concat', -1, [2, 3])).toBe(1)
  expect(normaliseAxis('Concat', 0, [2, 3])).toBe(0)
  for (const axis of [2, -3])
    expect(() => normaliseAxis('Concat', axis, [2, 3])).toThrow(ShapeError)
})

describe('pieces of a dimension', () => {
  const count = fc.integer({ min: 1, max: 9 })

  test('are whole, unequal by one at most, and add up to it, as a number and as a symbol', () => {
    fc.assert(
      fc.property(fc.nat(40), count, (more, n) => {
        const size = n + more
        const bound = new Map([['seq', size]])
        const sizes = (dim: Dim) =>
          Array.from({ length: n }, (_, i) => evaluate(pieceOf(dim, i, i + 1, n), bound))
        expect(sizes('seq')).toEqual(sizes(size))
        expect(sizes(size).reduce((sum, each) => sum + each)).toBe(size)
        expect(Math.max(...sizes(size)) - Math.min(...sizes(size))).toBeLessThanOrEqual(1)
      }),
    )
  })

  test('of nothing and of the whole are plain, and one stands in a product', () => {
    expect(pieceOf('seq', 0, 3, 3)).toBe('seq')
    expect(pieceOf('seq', 2, 2, 3)).toBe(0)
    expect(evaluate(multiply(3, pieceOf('seq', 1, 2, 4)), bindings)).toBe(6)
    expect(() => pieceOf('batch*seq', 0, 1, 2)).toThrow(ShapeError)
  })

  test('of no elements is refused when the graph runs', () => {
    expect(() => evaluate(pieceOf('seq', 0, 1, 8), bindings)).toThrow(
      'a piece is empty, seq[0-1/8]',
    )
  })
})

test('sameShape compares every dimension', () => {
  expect(sameShape(['a', 2], ['a', 2])).toBe(true)
  expect(sameShape(['a', 2], ['a', 3])).toBe(false)
  expect(sameShape([1, 2], [2])).toBe(false)
})

describe('symbols', () => {
  const bind = (declared: Dim[], actual: number[], more: [Dim[], number[]][] = []) =>
    bindSymbols(
      [[declared, actual] as const, ...more].map(([d, a], i) => ({
        name: `x${i}`,
        declared: d,
        actual: a,
      })),
    )

  test('take the value of what is fed', () => {
    expect(bind(['batch', 'seq'], [2, 9])).toEqual(
      new Map([
        ['batch', 2],
        ['seq', 9],
      ]),
    )
    expect(bind(['batch*seq', 4], [18, 4]).size).toBe(0)
  })

  test.each<[string, Dim[], number[], [Dim[], number[]][]]>([
    ['a wrong rank', ['batch', 'seq'], [2], []],
    ['a wrong size', [3], [4], []],
    ['one symbol twice', ['n', 'n'], [2, 3], []],
    [
      'two tensors that disagree',
      ['n'],
      [2],
      [
        [
          ['n', 1],
          [3, 1],
        ],
      ],
    ],
  ])('%s is refused with the input’s name', (_, declared, actual, more) => {
    expect(() => bind(declared, actual, more)).toThrow(/^internal: input x\d cannot take shapes/)
  })

  test('that nothing carries are named', () => {
    expect(() => evaluate('3*width', new Map())).toThrow(
      'internal: no input carries the dimension "width"',
    )
  })
})
