/** @file The change cut into singular directions: all of them are the change, and every set has the same norm. */
import { expect, test } from 'vitest'
import {
  directionSet,
  normOfPieces,
  piecesOf,
  withoutPieces,
} from '../../../../evals/arms/causes/singular-sets.ts'
import { DIRECTION_SETS } from '../../../../evals/contract/subjects/causes.ts'
import { spectralMatrices } from '../../../../evals/measure/arm-spectra.ts'
import type { Base } from '../../../../evals/measure/base.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { relativeError } from '../../../doubles/models/safetensors.ts'
import { tinyModel } from '../../../doubles/models/tiny-model.ts'

const { model, weights } = tinyModel()
const base = { model, weights } as unknown as Base
const changed = spectralMatrices(base).slice(0, 3)
const stream = randomStream(1, 'a change')
const tunedWeights = new Map(
  changed.map(({ weight, shape: [rows, columns] }, k) => {
    const W = weights.get(weight)!
    // A direction that W does not have, larger than any of its own, beside small changes of full rank.
    const [u, v] = [rows, columns].map((n) => Array.from({ length: n }, () => stream.normal()))
    const size = k === 0 ? 2 : 0.01
    return [
      weight,
      W.map((x, at) => {
        const along = size * u![Math.floor(at / columns)]! * v![at % columns]!
        return x + along + 0.001 * stream.normal()
      }),
    ] as const
  }),
)
const read = (name: string) => tunedWeights.get(name) ?? weights.get(name)!
const tuned = { key: { arm: 'full', seed: 0, step: 1 }, weights: { read, change: () => undefined } }
const pieces = piecesOf(base, tuned)!
const squared = changed.reduce((sum, { weight }) => {
  const W = weights.get(weight)!
  return sum + read(weight).reduce((own, x, i) => own + (x - W[i]!) ** 2, 0)
}, 0)

test('all directions together are the change', () => {
  expect(normOfPieces(pieces.directions) / squared).toBeCloseTo(1, 6)
  const back = withoutPieces(tuned, pieces.directions)
  for (const { weight } of changed)
    expect(relativeError(back(weight), weights.get(weight)!)).toBeLessThan(1e-5)
})

test('the planted direction is an intruder and the largest', () => {
  expect(pieces.intruders.map(({ weight }) => weight)).toContain(changed[0]!.weight)
  const [first] = directionSet(pieces, 'largest', 0.5 * squared, { seed: 0, draw: 0 })
  expect(first!.weight).toBe(changed[0]!.weight)
})

test('sets have the same norm, and what is put back is gone from the change', () => {
  const norm = 0.9 * Math.min(normOfPieces(pieces.intruders), squared)
  for (const set of DIRECTION_SETS) {
    const own = directionSet(pieces, set, norm, { seed: 0, draw: 1 })
    expect(normOfPieces(own) / norm, set).toBeCloseTo(1, 6)
    const back = withoutPieces(tuned, own)
    const left = changed.reduce((sum, { weight }) => {
      const W = weights.get(weight)!
      return sum + back(weight).reduce((mine, x, i) => mine + (x - W[i]!) ** 2, 0)
    }, 0)
    // t·u(uᵀΔW) with t < 1 leaves (1 − t)² of that direction.
    const [whole, part] = [own.slice(0, -1), own.at(-1)!]
    const wanted = squared - normOfPieces(whole) - (1 - (1 - part.part) ** 2) * part.squaredNorm
    expect(left / wanted, set).toBeCloseTo(1, 4)
  }
})
