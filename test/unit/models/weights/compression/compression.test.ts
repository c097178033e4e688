import { describe, expect, test } from 'vitest'
import { normalCodebook } from '../../../../../evals/statistics/normal-codebook.ts'
import {
  normalFloat,
  withExactScales,
} from '../../../../../evals/models/weights/compression/normal-float.ts'
import { q4_0 } from '../../../../../evals/models/weights/compression/integers.ts'
import { prune } from '../../../../../evals/models/weights/compression/prune.ts'
import { findCompression } from '../../../../../evals/models/weights/compression/registry.ts'
import { fillNormal, randomStream } from '../../../../../evals/statistics/random.ts'

const normal = (count: number) => fillNormal(new Float32Array(count), randomStream(1, 'weight'))

describe('NormalFloat', () => {
  test('of 2 and 3 bits has the published codebook', () => {
    const rounded = (bits: number) =>
      [...normalCodebook(bits)].map((x) => Math.round(x * 1e6) / 1e6)
    expect(rounded(2)).toEqual([-1, 0, 0.337915, 1])
    expect(rounded(3)).toEqual([-1, -0.478629, -0.217142, 0, 0.16093, 0.337915, 0.562617, 1])
  })

  test.each([2, 3, 4, 8])('of %i bits takes the nearest entry, the lower of two', (bits) => {
    const codebook = normalCodebook(bits)
    const middles = [...codebook].slice(1).map((entry, i) => (codebook[i]! + entry) / 2)
    const steps = [-1e-3, -1e-7, 0, 1e-7, 1e-3]
    const around = middles.flatMap((middle) => steps.map((step) => Math.fround(middle + step)))
    const found = withExactScales(Float32Array.from([1, ...around]), bits, around.length + 1)
    const below = (x: number) => middles.filter((middle) => middle < x).length
    expect([...found].slice(1)).toEqual(around.map((x) => codebook[below(x)]!))
  })

  test('maps one block as the published example', () => {
    const block = Float32Array.of(0.3, -0.8, 0.05, 0.6, -0.1, 0, 0.45, -0.2)
    const found = withExactScales(block, 3)
    const expected = [0.270332, -0.8, 0, 0.450094, -0.173713, 0, 0.450094, -0.173713]
    found.forEach((x, i) => expect(x).toBeCloseTo(expected[i]!, 6))
    const error = found.reduce((sum, x, i) => sum + (x - block[i]!) ** 2, 0) / block.length
    expect(error).toBeCloseTo(0.003997098, 8)
  })

  test('takes 4.126953, 3.126953 and 2.126953 bits a number', () => {
    const bits = [4, 3, 2].map((each) => normalFloat(each).bits(1, 1)!)
    ;[4.126953, 3.126953, 2.126953].forEach((expected, i) =>
      expect(bits[i]).toBeCloseTo(expected, 6),
    )
  })

  test('gives numbers back that lie on the codebook', () => {
    const codebook = normalCodebook(4)
    const weight = Float32Array.from({ length: 128 }, (_, i) => codebook[i % 16]! * 0.5)
    expect(withExactScales(weight, 4)).toEqual(weight)
    // With nested scales too: all scales are equal, so that nothing is left of them to be rounded.
    expect(normalFloat(4).roundTrip(weight, 1)).toEqual(weight)
  })

  test('nested scales are off by at most half a step of their block', () => {
    const weight = normal(64 * 512)
    const [nested, exact] = [normalFloat(4).roundTrip(weight, 1), withExactScales(weight, 4)]
    const scale = (block: number) =>
      weight
        .subarray(block * 64, block * 64 + 64)
        .reduce((most, w) => Math.max(most, Math.abs(w)), 0)
    const scales = Array.from({ length: 512 }, (_, block) => scale(block))
    const span = Math.max(...scales) - Math.min(...scales)
    // The code of a number near the middle of two may change with the scale; most do not.
    const off = nested.filter((x, i) => Math.abs(x - exact[i]!) > span / 510 + 1e-6)
    expect(off.length / nested.length).toBeLessThan(0.01)
  })

  test('a block of zeros stays zero', () => {
    expect(normalFloat(3).roundTrip(new Float32Array(64), 1)).toEqual(new Float32Array(64))
  })
})

describe('pruning', () => {
  test.each([0, 0.1, 0.25, 0.5])('of %d takes just so many, the smallest first', (share) => {
    const weight = normal(1000)
    const pruned = prune(share).roundTrip(weight, 10)
    const gone = weight.filter((_, i) => pruned[i] === 0).map(Math.abs)
    const left = pruned.filter((x) => x !== 0).map(Math.abs)
    expect(gone).toHaveLength(Math.floor(share * 1000))
    expect(Math.max(0, ...gone)).toBeLessThan(Math.min(...left))
  })

  test('of equal magnitudes the earlier go first', () => {
    const pruned = prune(0.5).roundTrip(Float32Array.of(1, -1, 1, -1), 2)
    expect([...pruned]).toEqual([0, 0, 1, -1])
  })
})

test.each([
  ['nf5', 'usage.unknown-name'],
  ['nf4:2', 'compress.number'],
  ['prune', 'compress.number'],
  ['prune:0', 'compress.number'],
  ['prune:-0', 'compress.number'],
  ['prune:1', 'compress.number'],
  ['prune:-0.1', 'compress.number'],
  ['prune:x', 'compress.number'],
  ['prune:0.1:0.2', 'compress.number'],
  ['budget', 'compress.number'],
  ['budget:0', 'compress.number'],
])('%s is refused by name', (spec, code) => {
  expect(() => findCompression(spec)).toThrow(expect.objectContaining({ code }))
})

test('blocks of GGUF need rows of a multiple of 32 numbers', () => {
  const trip = () => q4_0.roundTrip(new Float32Array(96), 2)
  expect(trip).toThrow(expect.objectContaining({ code: 'compress.blocks' }))
})
