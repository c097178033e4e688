import { describe, expect, test } from 'vitest'
import { productOf } from '../../../../evals/finetune/merging/low-rank.ts'
import type { Layer, MergeSettings, Part } from '../../../../evals/finetune/merging/merging.ts'
import { concat } from '../../../../evals/finetune/merging/ways/concat.ts'
import { dare } from '../../../../evals/finetune/merging/ways/dare.ts'
import { lego } from '../../../../evals/finetune/merging/ways/lego.ts'
import { svd } from '../../../../evals/finetune/merging/ways/svd.ts'
import { taskArithmetic } from '../../../../evals/finetune/merging/ways/task-arithmetic.ts'
import { ties } from '../../../../evals/finetune/merging/ways/ties.ts'
import { fillNormal, randomStream } from '../../../../evals/statistics/random.ts'

const settings = (given: Partial<MergeSettings> = {}, seed = 0): MergeSettings => ({
  rank: null,
  density: 1,
  outputReweighting: false,
  random: (label) => randomStream(seed, label),
  ...given,
})

/** τ `[1, n]` as an adapter of rank 1. */
const row = (τ: readonly number[], weight = 1): Part => {
  const part = { weight, scale: 1, rank: 1 }
  return { ...part, A: Float64Array.from(τ), B: Float64Array.of(1) }
}
const rowLayer = (...parts: Part[]): Layer => {
  const columns = parts[0]!.A.length
  return { name: 'layer', rows: 1, columns, parts }
}

function randomLayer(rows: number, columns: number, ranks: readonly number[]): Layer {
  const parts = ranks.map((rank, i) => {
    const stream = randomStream(i, 'part')
    const A = fillNormal(new Float64Array(rank * columns), stream)
    const B = fillNormal(new Float64Array(rows * rank), stream)
    return { weight: 0.5 + i, scale: 2, rank, A, B }
  })
  return { name: 'layer', rows, columns, parts }
}

const changeOf = ({ rows, columns, parts }: Layer) => {
  const sum = new Float64Array(rows * columns)
  for (const { A, B, rank, scale, weight } of parts) {
    productOf(B, A, rows, rank, columns).forEach((x, t) => (sum[t]! += weight * scale * x))
  }
  return sum
}
const norm = (x: Float64Array) => Math.sqrt(x.reduce((sum, value) => sum + value * value, 0))
const product = (
  { rows, columns }: Layer,
  found: { rank: number; A: Float64Array; B: Float64Array },
) => productOf(found.B, found.A, rows, found.rank, columns)
const distance = (x: Float64Array, y: Float64Array) => norm(x.map((value, t) => value - y[t]!))

describe('concat', () => {
  test('is the sum of the changes exactly, at the sum of the ranks', () => {
    const layer = randomLayer(7, 9, [2, 3])
    const found = concat.merge(layer, settings())
    expect(found.rank).toBe(5)
    expect(distance(product(layer, found), changeOf(layer))).toBeLessThan(1e-12)
  })
})

describe('svd', () => {
  test.each([1, 2, 4, 5])('of rank %i leaves just the discarded singular values', (rank) => {
    const layer = randomLayer(7, 9, [2, 3])
    const change = changeOf(layer)
    const found = svd.merge(layer, settings({ rank }))
    const lost = distance(product(layer, found), change) / norm(change)
    expect(found.lost).toBeCloseTo(lost, 7)
    // Eckart–Young: no other matrix of this rank is nearer; the cut of the whole matrix is the same one.
    const whole = ties.merge({ ...layer, parts: [asOne(layer, change)] }, settings({ rank }))
    expect(distance(product(layer, found), product(layer, whole))).toBeLessThan(1e-6 * norm(change))
  })

  test('says that nothing is lost where the rank holds everything', () => {
    const layer = randomLayer(6, 4, [1, 2])
    const found = taskArithmetic.merge(layer, settings({ rank: 64 }))
    expect(found.rank).toBe(3)
    expect(found.lost).toBeLessThan(1e-7)
    expect(distance(product(layer, found), changeOf(layer))).toBeLessThan(1e-6)
  })
})

/** The change as one part of full rank. */
function asOne({ rows }: Layer, change: Float64Array): Part {
  const B = new Float64Array(rows * rows)
  for (let i = 0; i < rows; i++) B[i * rows + i] = 1
  return { weight: 1, scale: 1, rank: rows, A: change, B }
}

describe('ties', () => {
  test('trims, elects and averages as the published example', () => {
    const layer = rowLayer(row([1, -2, 3]), row([-4, 1, 2]))
    const found = ties.merge(layer, settings({ density: 2 / 3 }))
    expect([...product(layer, found)].map((x) => Math.round(x * 1e9) / 1e9)).toEqual([-4, -2, 2.5])
  })

  test('multiplies by the weights after the election', () => {
    const layer = rowLayer(row([3, 1], 0.1), row([-2, 1], 10))
    // 3 − 2 elects +, although 0.3 − 20 would elect −.
    const [first, second] = product(layer, ties.merge(layer, settings()))
    expect(first).toBeCloseTo(0.3, 9)
    expect(second).toBeCloseTo((0.1 + 10) / 2, 9)
  })
})

describe('dare', () => {
  test('keeps the mean of every number', () => {
    const layer = rowLayer(row([1, -2, 3]), row([2, 2, 2], 0.5))
    const draws = 2000
    const sum = [0, 0, 0]
    for (let seed = 0; seed < draws; seed++) {
      const found = product(layer, dare.merge(layer, settings({ density: 0.5 }, seed)))
      found.forEach((x, t) => (sum[t]! += x / draws))
    }
    // Variance of a number x at density ½ is x² a part: here at most 3² + 1², six standard errors.
    const bound = 6 * Math.sqrt(10 / draws)
    ;[2, -1, 4].forEach((expected, t) => expect(Math.abs(sum[t]! - expected)).toBeLessThan(bound))
  })

  test('is a function of its seed', () => {
    const layer = randomLayer(5, 6, [2, 2])
    const [a, b, c] = [1, 1, 2].map((seed) => dare.merge(layer, settings({ density: 0.5 }, seed)))
    expect(a).toEqual(b)
    expect(distance(product(layer, a!), product(layer, c!))).toBeGreaterThan(0.01)
  })
})

describe('lego', () => {
  test('of two equal adapters at their rank is the adapter', () => {
    const one = randomLayer(6, 8, [3])
    const layer = { ...one, parts: [one.parts[0]!, one.parts[0]!] }
    const found = lego.merge(layer, settings())
    expect(found.rank).toBe(3)
    expect(distance(product(layer, found), changeOf(one))).toBeLessThan(1e-9)
  })

  test('with a cluster for every unit is the sum', () => {
    const layer = randomLayer(6, 8, [2, 3])
    const found = lego.merge(layer, settings({ rank: 5 }))
    expect(distance(product(layer, found), changeOf(layer))).toBeLessThan(1e-9)
  })

  test('scales a centroid to the mean length of its members: 0.707107 × 1.414214', () => {
    const unit = (a: number[], b: number[]): Part => {
      const part = { weight: 1, scale: 1, rank: 1 }
      return { ...part, A: Float64Array.from(a), B: Float64Array.from(b) }
    }
    // Two orthogonal units [a; b] of length √2 whose mean has length 1.
    const parts = [unit([1, 0], [1, 0]), unit([0, 1], [0, 1])]
    const layer = { name: 'layer', rows: 2, columns: 2, parts }
    const { A, B } = lego.merge(layer, settings({ rank: 1 }))
    ;[...A, ...B].forEach((x) => expect(x).toBeCloseTo(Math.SQRT1_2, 9))
  })

  test('does not depend on the order of ranks, or on how a unit is split into a and b', () => {
    const layer = randomLayer(6, 8, [3, 3])
    const [first, second] = layer.parts
    const split = { ...first!, A: first!.A.map((x) => -4 * x), B: first!.B.map((x) => x / -4) }
    const found = lego.merge(layer, settings())
    const again = lego.merge({ ...layer, parts: [split, second!] }, settings())
    expect(distance(product(layer, found), product(layer, again))).toBeLessThan(1e-9)
  })

  test('with output reweighting is √(r / k) times as large', () => {
    const layer = randomLayer(6, 8, [4, 4])
    const plain = product(layer, lego.merge(layer, settings({ rank: 2 })))
    const more = product(layer, lego.merge(layer, settings({ rank: 2, outputReweighting: true })))
    expect(norm(more) / norm(plain)).toBeCloseTo(Math.sqrt(4 / 2), 9)
  })

  test('refuses more clusters than there are units', () => {
    const layer = randomLayer(6, 8, [1, 1])
    const merge = () => lego.merge(layer, settings({ rank: 3 }))
    expect(merge).toThrow(expect.objectContaining({ code: 'merge.too-few-units' }))
  })
})
