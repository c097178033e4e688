/** @file LQ-LoRA's split: its errors on N(0, 1) against those of docs/methods/compressed-training.md, its bounds, and Fisher weights. */
import { describe, expect, test } from 'vitest'
import { withUpdate } from '../../../../evals/finetune/methods/moved-base.ts'
import { splitWeight } from '../../../../evals/finetune/methods/lq-lora.ts'
import { withExactScales } from '../../../../evals/models/weights/compression/normal-float.ts'
import { fillNormal, randomStream } from '../../../../evals/statistics/random.ts'
import { normOf } from '../../../doubles/training/one-pair.ts'

const NF3 = { roundTrip: (weight: Float32Array) => withExactScales(weight, 3) }
const siteOf = (side: number) => ({ name: 'layer', inFeatures: side, outFeatures: side })
const weightOf = (seed: number, side = 64) =>
  fillNormal(new Float32Array(side * side), randomStream(seed, 'W'))
const split = (W: Float32Array, rank: number, alternations: number, fisher?: Float32Array) =>
  splitWeight(W, siteOf(Math.sqrt(W.length)), NF3, { rank, scale: 2, alternations, fisher })
const apart = (a: Float32Array, b: Float32Array) => normOf(a.map((x, i) => x - b[i]!))

describe('the split', () => {
  test('T4: on 64 × 64 of N(0, 1) its error is that of the reference, after one alternation and after twelve', () => {
    const W = weightOf(0)
    // Mean ± sd of 40 seeds: pure 12.89 ± .20, first 10.20 ± .17, twelfth 7.54 ± .16.
    for (const [found, mean, sd] of [
      [apart(W, NF3.roundTrip(W)), 12.89, 0.2],
      [split(W, 8, 1).error, 10.2, 0.17],
      [split(W, 8, 12).error, 7.54, 0.16],
    ] as const)
      expect(Math.abs(found - mean)).toBeLessThan(4 * sd)
  })

  test('keeps the best iterate: its error is that of what it returns, and never grows', () => {
    const W = weightOf(1, 32)
    const errors = [1, 2, 5, 40].map((most) => {
      const { Q, error, ...low } = split(W, 4, most)
      expect(apart(W, withUpdate(Q, low, 2))).toBeCloseTo(error, 4)
      return error
    })
    expect(errors.toSorted((a, b) => b - a)).toEqual(errors)
  })

  test('T5: with all directions nothing is left', () => {
    expect(split(weightOf(2, 16), 16, 1).error).toBeLessThan(1e-4)
  })

  test('T6: equal Fisher weights change nothing', () => {
    const W = weightOf(3, 32)
    const [plain, weighted] = [split(W, 4, 3), split(W, 4, 3, new Float32Array(W.length).fill(1))]
    for (const part of ['Q', 'A', 'B'] as const)
      expect(apart(plain[part], weighted[part])).toBeLessThan(1e-4)
  })

  test('unequal ones lower the weighted error, also where a row has none', () => {
    const W = weightOf(4)
    const fisher = W.map((_, i) => (i < 64 ? 0 : 1 + 50 * Number(i % 64 < 16)))
    const weightedError = ({ Q, ...low }: ReturnType<typeof split>) => {
      const found = withUpdate(Q, low, 2)
      return normOf(W.map((w, i) => Math.sqrt(fisher[i]!) * (w - found[i]!)))
    }
    expect(weightedError(split(W, 8, 3, fisher))).toBeLessThan(0.9 * weightedError(split(W, 8, 3)))
  })
})
