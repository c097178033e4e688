/** @file Weights in four bits: what is stored comes back, and rounding moves each weight by at most half a step. */
import { expect, it } from 'vitest'
import { inFourBits, packed, unpacked } from '../../../../evals/judges/semantic/four-bits.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

it('every pair of whole numbers from −7 to 7 comes back, in half as many bytes', () => {
  const all = Array.from({ length: 15 }, (_, i) => i - 7)
  const pairs = Int8Array.from(all.flatMap((low) => all.flatMap((high) => [low, high])))
  expect(packed(pairs).length).toBe(pairs.length / 2)
  expect(unpacked(packed(pairs))).toEqual(pairs)
})

it('a weight is moved by at most half a step, unless it is beyond three times the root of the mean square', () => {
  const { normal } = randomStream(1, 'weights')
  const given = Float32Array.from({ length: 10_000 }, () => 0.3 * normal())
  const { weights, scale } = inFourBits(given)
  const beyond = given.filter((w) => Math.abs(w) > 7.5 * scale).length
  const moved = given.filter((w, i) => Math.abs(w - scale * weights[i]!) > scale * 0.5001).length
  expect(scale).toBeCloseTo(0.9 / 7, 2)
  expect(beyond).toBeLessThan(100)
  expect(moved).toBe(beyond)
})

it.each([[[0, 0]], [[1, -1]]])('%j stay as they are', (given) => {
  const { weights, scale } = inFourBits(Float32Array.from(given))
  expect([...weights].map((w) => w * scale)).toEqual(given)
})
