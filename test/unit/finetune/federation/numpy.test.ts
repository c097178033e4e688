/** @file What strategies make of a round against NumPy (test/golden/make-federation.py), to 1e-12. */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { STRATEGIES, boundStrategy } from '../../../../evals/finetune/federation/registry.ts'
import { productOf } from '../../../../evals/finetune/merging/low-rank.ts'
import { NAME_A, NAME_B, roundOf, type Pair } from '../../../doubles/training/federated-round.ts'

interface Fixture {
  readonly shape: readonly [number, number]
  readonly rank: number
  readonly scale: number
  readonly ridge: number
  readonly weights: readonly number[]
  readonly before: Pair
  readonly clients: readonly Pair[]
  readonly mean: Pair
  readonly median: Pair
  readonly trimmed: Pair
  readonly clipped: Pair
  readonly ridgeB: readonly number[]
  readonly cosineB: readonly number[]
  readonly change: readonly number[]
  readonly cut: readonly number[]
}

const fixture = JSON.parse(
  readFileSync(join(import.meta.dirname, '../../../golden/fixtures/federation.json'), 'utf8'),
) as Fixture
const [rows, columns] = fixture.shape
const round = roundOf({ ...fixture, rows, columns })
const made = (name: string, settings = {}) =>
  boundStrategy(name, { [name]: settings }).aggregate(round)

function expectNear(found: Float64Array, expected: readonly number[]) {
  expect(found).toHaveLength(expected.length)
  const scale = Math.max(...expected.map(Math.abs))
  for (const [at, x] of expected.entries())
    expect(Math.abs(found[at]! - x)).toBeLessThan(1e-12 * scale)
}

test.each([
  ['fedit', {}, fixture.mean],
  ['coordinate-median', {}, fixture.median],
  ['trimmed-mean', { trim: 0.25 }, fixture.trimmed],
  ['norm-clipping', {}, fixture.clipped],
  ['lora-fair', { ridge: fixture.ridge }, { A: fixture.mean.A, B: fixture.ridgeB }],
  [
    'lora-fair',
    { correction: 'cosine-sgd', ridge: fixture.ridge, correctionRate: 0.1, correctionSteps: 50 },
    { A: fixture.mean.A, B: fixture.cosineB },
  ],
] as const)('%s %j', (name, settings, expected) => {
  const { tensors } = made(name, settings)
  expectNear(tensors.get(NAME_A)!, expected.A)
  expectNear(tensors.get(NAME_B)!, expected.B)
})

test('flora: the stack is Σ p s B A', () => {
  expectNear(made('flora').changes!.get('layer')!, fixture.change)
})

test('flexlora: s B A is that sum cut to the rank, and B and A share S evenly', () => {
  const { tensors } = made('flexlora')
  const [A, B] = [tensors.get(NAME_A)!, tensors.get(NAME_B)!]
  const { rank, scale } = fixture
  expectNear(
    productOf(B, A, rows, rank, columns).map((x) => scale * x),
    fixture.cut,
  )
  for (let j = 0; j < rank; j++) {
    const norm = (indices: readonly number[], x: Float64Array) =>
      Math.hypot(...indices.map((at) => x[at]!))
    const ofA = norm(
      Array.from({ length: columns }, (_, t) => j * columns + t),
      A,
    )
    const ofB = norm(
      Array.from({ length: rows }, (_, i) => i * rank + j),
      B,
    )
    expect(ofA).toBeCloseTo(ofB, 12)
  }
})

test('every strategy that averages takes the mean', () => {
  for (const { name, isMean } of STRATEGIES)
    if (isMean) expectNear(made(name).tensors.get(NAME_B)!, fixture.mean.B)
})
