/** @file Intruders scaled down, in closed form: identity at λ = 1, exactly the chosen components moved, controls of equal size. */
import { describe, expect, test } from 'vitest'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import type { Matrix } from '../../../evals/spectra/decomposition/matrix.ts'
import { frobeniusNorm } from '../../../evals/spectra/measures.ts'
import {
  intruderTriplets,
  mitigated,
  scaledDirections,
  type Mitigable,
} from '../../../evals/spectra/mitigation.ts'
import { singularValues } from '../../../evals/spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../../evals/spectra/decomposition/svd.ts'
import { MITIGATIONS } from '../../../evals/contract/mitigation.ts'
import { gaussian, multiply, randomUnit, withSpike } from './fixtures.ts'

const SHAPES = [
  [48, 48],
  [64, 40],
  [40, 64],
] as const

/** Two spikes far above σ₁ between random directions: two intruders, and others that are none. */
function planted(rows: number, columns: number, rank: number | undefined = 2): Mitigable {
  const W0 = gaussian(rows, columns, 1)
  const largest = singularValues(W0)[0]!
  const once = withSpike(W0, 4 * largest, randomUnit(rows, 2), randomUnit(columns, 3))
  const W1 = withSpike(once, 3 * largest, randomUnit(rows, 4), randomUnit(columns, 5))
  const found = intruderTriplets(baseDirections(W0), W1, { epsilon: 0.65, weight: 'W' })
  return { ...found, W0: W0.data, W1, rank }
}

/** U1ᵀ·W·V1 with all triplets of W1: diag(σ) for W1 itself. */
function inOwnBasis({ W1 }: Mitigable, data: ArrayLike<number>): Matrix {
  const { left, right } = leftSingular(W1, { right: true })
  const U = { rows: left.count, columns: left.dimension, data: left.data }
  const Vt = { rows: right!.count, columns: right!.dimension, data: right!.data }
  const V = {
    rows: Vt.columns,
    columns: Vt.rows,
    data: Float64Array.from(
      { length: Vt.data.length },
      (_, at) => Vt.data[(at % Vt.rows) * Vt.columns + Math.floor(at / Vt.rows)]!,
    ),
  }
  const W = { rows: W1.rows, columns: W1.columns, data: Float64Array.from(data) }
  return multiply(multiply(U, W), V)
}

const sizeOfChange = ({ W0 }: Mitigable, W: ArrayLike<number>): number =>
  frobeniusNorm(Float64Array.from(W0, (x, i) => W[i]! - x))

describe.each(SHAPES)('a matrix [%i, %i]', (rows, columns) => {
  const of = planted(rows, columns)

  test('the two spikes are its intruders, and the paper’s form takes the higher', () => {
    expect(of.intruders.slice(0, 2)).toEqual([0, 1])
    expect(scaledDirections('paper', of)).toEqual([0])
    expect(scaledDirections('peft', of)).toEqual(of.intruders)
    expect(of.intruders).not.toContain(scaledDirections('neighbour', of)[0])
  })

  test.each(MITIGATIONS)('%s: λ = 1 is W1 itself, bit for bit', (form) => {
    expect(mitigated(form, 1, of)).toBe(of.W1.data)
    expect(mitigated(form, 0.9, of)).not.toBe(of.W1.data)
  })

  test.each(['paper', 'peft', 'neighbour'] as const)(
    '%s: exactly the chosen components are multiplied by λ',
    (form) => {
      const λ = 0.3
      // As for a full fine-tune: nothing is cut back to a rank.
      const whole = { ...of, rank: undefined }
      const { data } = inOwnBasis(of, mitigated(form, λ, whole))
      const σ = singularValues(of.W1)
      const chosen = scaledDirections(form, of)
      const width = σ.length
      data.forEach((x, at) => {
        const [i, j] = [Math.floor(at / width), at % width]
        const wanted = i === j ? σ[i]! * (chosen.includes(i) ? λ : 1) : 0
        expect(Math.abs(x - wanted), `${i}, ${j}`).toBeLessThan(1e-9 * σ[0]!)
      })
    },
  )

  test.each([0, 0.25, 0.75])('shrink at λ = %d: as large as the paper’s, and along ΔW', (λ) => {
    const [paper, shrink] = [mitigated('paper', λ, of), mitigated('shrink', λ, of)]
    const size = sizeOfChange(of, paper)
    expect(Math.abs(sizeOfChange(of, shrink) - size) / size).toBeLessThan(1e-12)
    const factor = size / sizeOfChange(of, of.W1.data)
    expect(factor).toBeLessThan(1)
    shrink.forEach((x, i) => {
      const wanted = of.W0[i]! + factor * (of.W1.data[i]! - of.W0[i]!)
      expect(x).toBeCloseTo(wanted, 10)
    })
  })

  test('peft on an adapter: the new change has the adapter’s rank, and is the nearest of that rank', () => {
    const λ = 0.5
    const whole = mitigated('peft', λ, { ...of, rank: undefined })
    const cut = mitigated('peft', λ, of)
    const change = (W: ArrayLike<number>) => ({
      rows,
      columns,
      data: Float64Array.from(of.W0, (x, i) => W[i]! - x),
    })
    const [before, after] = [singularValues(change(whole)), singularValues(change(cut))]
    // Up to r + the number of intruders before, r after.
    expect(before[2]! / before[0]!).toBeGreaterThan(1e-6)
    expect(after[2]! / after[0]!).toBeLessThan(1e-6)
    after.subarray(0, 2).forEach((σ, j) => expect(σ / before[j]!).toBeCloseTo(1, 6))
  })
})

test('without an intruder every form leaves the matrix as it is', () => {
  const W0 = gaussian(40, 40, 1)
  const W1 = { ...W0, data: Float64Array.from(W0.data, (x) => 1.1 * x) }
  const found = intruderTriplets(baseDirections(W0), W1, { epsilon: 0.5, weight: 'W' })
  expect(found.intruders).toEqual([])
  for (const form of MITIGATIONS)
    expect(mitigated(form, 0, { ...found, W0: W0.data, W1, rank: 4 })).toBe(W1.data)
})

test('where every leading direction is an intruder there is no neighbour', () => {
  const [W0, W1] = [gaussian(64, 64, 1), gaussian(64, 64, 2)]
  const found = intruderTriplets(baseDirections(W0), W1, { epsilon: 0.9, weight: 'W' })
  expect(found.intruders).toHaveLength(10)
  expect(scaledDirections('neighbour', found)).toEqual([])
  expect(mitigated('neighbour', 0, { ...found, W0: W0.data, W1, rank: 4 })).toBe(W1.data)
})
