/** @file Boxes on a canvas and the losses that draw concepts into them: closed forms, and gradients against finite differences. */
import { describe, expect, test } from 'vitest'
import { conceptLosses, regionLoss } from '../../../../evals/models/diffusion/layout-losses.ts'
import {
  isolation,
  patchesOfBox,
  reinitialised,
  sharesOf,
  type PatchBox,
} from '../../../../evals/models/diffusion/layout.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const SIDE = 16
const BOX: PatchBox = [2, 3, 10, 11]
const indicator = (box: PatchBox, side: number) => {
  const map = new Float64Array(side ** 2)
  for (const patch of patchesOfBox(box, side)) map[patch] = 1
  return map
}
const drawn = (length: number) => {
  const stream = randomStream(7, 'maps')
  return Float64Array.from({ length }, () => stream.uniform())
}

describe('losses of a concept', () => {
  test('are 0 of attention that fills its box alone', () => {
    const plain = { smooth: false, central: false }
    const { concept, fill } = conceptLosses(indicator(BOX, SIDE), BOX, SIDE, plain)
    expect([concept.value, fill.value]).toEqual([0, 0])
  })

  test('weighted from the middle, twelve of 64 patches are short of 1 by a twentieth', () => {
    const { concept } = conceptLosses(indicator(BOX, SIDE), BOX, SIDE, {
      smooth: false,
      central: true,
    })
    expect(concept.value).toBeCloseTo(0.418078, 6)
  })

  test.each([
    { smooth: true, central: true },
    { smooth: false, central: false },
  ])('have the gradients of finite differences, %o', (shaping) => {
    const box: PatchBox = [1, 0, 5, 3]
    const map = drawn(36)
    const losses = (A: Float64Array) => conceptLosses(A, box, 6, shaping)
    for (const name of ['concept', 'fill'] as const) {
      const { gradient } = losses(map)[name]
      expectSlopes((A) => losses(A)[name].value, map, gradient)
    }
  })

  test('the region’s has the gradient of finite differences', () => {
    const S = drawn(81)
    const loss = (map: Float64Array) => regionLoss(map, [0, 0, 2, 2], 3)
    expectSlopes((map) => loss(map).value, S, loss(S).gradient)
  })

  test('the region’s is 0 where nothing lies outside', () => {
    expect(regionLoss(drawn(81), [0, 0, 3, 3], 3).value).toBe(0)
  })
})

function expectSlopes(
  loss: (map: Float64Array) => number,
  at: Float64Array,
  gradient: Float64Array,
): void {
  const step = 1e-6
  const slopes = at.map((_, i) => {
    const moved = (by: number) => loss(at.with(i, at[i]! + by))
    return (moved(step) - moved(-step)) / (2 * step)
  })
  const off = slopes.map((slope, i) => Math.abs(slope - gradient[i]!))
  expect(Math.max(...off)).toBeLessThan(1e-6)
  expect(Math.max(...gradient.map(Math.abs))).toBeGreaterThan(0.01)
}

describe('boxes', () => {
  const boxes: PatchBox[] = [
    [0, 0, 3, 3],
    [2, 2, 4, 4],
  ]

  test('share a patch evenly where they overlap, and leave the rest to the whole', () => {
    const shares = sharesOf(boxes, 4)
    const sums = [...shares[0]!.keys()].map((i) => shares.reduce((sum, own) => sum + own[i]!, 0))
    expect(new Set(sums)).toEqual(new Set([1]))
    expect(shares.map((own) => own[2 * 4 + 2])).toEqual([0, 0.5, 0.5])
    expect(shares.map((own) => own[3])).toEqual([1, 0, 0])
  })

  test('do not see each other, but see themselves, what they share and the rest', () => {
    const bias = isolation(boxes, 4)
    const seen = (query: number, key: number) => bias[query * 16 + key]
    expect([seen(0, 15), seen(15, 0)]).toEqual([-1e6, -1e6])
    expect([seen(0, 5), seen(0, 10), seen(10, 15), seen(0, 3), seen(3, 15)]).toEqual([
      0, 0, 0, 0, 0,
    ])
  })

  test('begin as the window that holds most of their concept', () => {
    const map = indicator([5, 1, 8, 4], 8)
    const stream = randomStream(1, 'latent')
    const latent = Float64Array.from({ length: 256 }, () => 2 + 3 * stream.normal())
    const moved = reinitialised(latent, [[0, 0, 3, 3]], [map], { side: 8, patch: 2 })
    const moments = (values: Float64Array) => {
      const mean = values.reduce((sum, x) => sum + x, 0) / values.length
      return [mean, Math.sqrt(values.reduce((sum, x) => sum + (x - mean) ** 2, 0) / values.length)]
    }
    moments(moved).forEach((moment, i) => expect(moment).toBeCloseTo(moments(latent)[i]!, 6))
    // The window's pixels stand in the box up to the same line.
    const pixel = (values: Float64Array, x: number, y: number) => values[y * 16 + x]!
    const ratio = (values: Float64Array, [x, y]: readonly [number, number]) =>
      (pixel(values, x + 1, y) - pixel(values, x, y)) /
      (pixel(values, x + 2, y + 1) - pixel(values, x, y))
    expect(ratio(moved, [0, 0])).toBeCloseTo(ratio(latent, [10, 2]), 9)
  })
})
