import { describe, expect, test } from 'vitest'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import { explicitBasis } from '../../doubles/statistics/explicit-basis.ts'
import { alignments, findIntruders, energyWithin } from '../../../evals/spectra/intruders.ts'
import { vector, type Matrix, type Vectors } from '../../../evals/spectra/decomposition/matrix.ts'
import { frobeniusNorm } from '../../../evals/spectra/measures.ts'
import { scaleDirection } from '../../../evals/spectra/scaling.ts'
import { leadingLeft, singularValues } from '../../../evals/spectra/decomposition/partial-svd.ts'
import { leftSingular } from '../../../evals/spectra/decomposition/svd.ts'
import { gaussian, multiply, randomUnit, withSpike } from './fixtures.ts'

const D = 64
const SEEDS = Array.from({ length: 100 }, (_, i) => i + 1)
const compare = (W0: Matrix, W1: Matrix) => findIntruders(baseDirections(W0), leadingLeft(W1, 10))

const median = (values: number[]) => values.toSorted((a, b) => a - b)[values.length >> 1]!

describe('intruder dimensions, by the tests of the method page (§4 d)', () => {
  test('T1: nothing changed, no intruders', () => {
    for (const [rows, columns] of [
      [D, D],
      [24, 40],
      [40, 24],
    ] as const) {
      const W0 = gaussian(rows, columns, 1)
      const { intruders, alignment, energyShare } = compare(W0, W0)
      expect(intruders).toEqual([])
      expect(energyShare).toBe(0)
      alignment.forEach((c) => expect(c).toBeCloseTo(1, 12))
    }
  })

  test('T2: noise of a thousandth makes no intruders', () => {
    for (const seed of SEEDS.slice(0, 20)) {
      const W0 = gaussian(D, D, seed)
      const Z = gaussian(D, D, seed + 5000)
      const size = (1e-3 * frobeniusNorm(W0.data)) / Math.sqrt(D)
      const W1 = { ...W0, data: W0.data.map((x, i) => x + size * Z.data[i]!) }
      expect(compare(W0, W1).intruders).toEqual([])
    }
  })

  test('T3: a spike of 2σ₁ is the first direction and the only intruder', () => {
    const hits = SEEDS.filter((seed) => {
      const W0 = gaussian(D, D, seed)
      const σ1 = singularValues(W0)[0]!
      const W1 = withSpike(W0, 2 * σ1, randomUnit(D, seed + 1000), randomUnit(D, seed + 2000))
      const { intruders } = compare(W0, W1)
      return intruders.length === 1 && intruders[0] === 0
    })
    expect(hits.length).toBeGreaterThanOrEqual(95)
  })

  test('T4: a mid-spectrum pretrained direction is no intruder against the full basis', () => {
    for (const seed of SEEDS.slice(0, 20)) {
      const W0 = gaussian(D, D, seed)
      const base = leftSingular(W0)
      const W1 = withSpike(
        W0,
        4 * base.singularValues[0]!,
        vector(base.left, 50),
        randomUnit(D, seed + 3000),
      )
      const tuned = leadingLeft(W1, 10)
      const full = findIntruders(baseDirections(W0), tuned)
      expect(full.intruders).toEqual([])
      expect(full.alignment[0]).toBeGreaterThan(0.98)
      const topOnly: Vectors = { ...base.left, count: 10 }
      expect(alignments(explicitBasis(topOnly), tuned.left)[0]).toBeLessThan(0.5)
    }
  })

  test.each([0, 0.3, 0.75, 1])('T5: scaling a triplet by λ = %d scales its σ alone', (λ) => {
    const W = gaussian(24, 40, 9)
    const system = leftSingular(W, { right: true })
    const scaled = singularValues(scaleDirection(W, system, 3, λ))
    const expected = Array.from(system.singularValues, (σ, j) => (j === 3 ? λ * σ : σ))
    expected.sort((a, b) => b - a)
    scaled.forEach((σ, j) => expect(Math.abs(σ - expected[j]!)).toBeLessThan(1e-12))
  })

  test('T6: flipped signs and positive scales change nothing', () => {
    const W0 = gaussian(D, D, 3)
    const W1 = withSpike(W0, 30, randomUnit(D, 4), randomUnit(D, 5))
    const times = (W: Matrix, factor: number) => ({ ...W, data: W.data.map((x) => x * factor) })
    const plain = compare(W0, W1)
    expect(plain.intruders).toEqual([0])
    for (const [a, b] of [
      [-1, 1],
      [1, -1],
      [-3.7, 0.01],
      [1e-20, 1e20],
    ] as const) {
      const other = compare(times(W0, a), times(W1, b))
      expect(other.intruders).toEqual(plain.intruders)
      expect(other.energyShare).toBeCloseTo(plain.energyShare, 12)
      other.alignment.forEach((c, j) => expect(c).toBeCloseTo(plain.alignment[j]!, 10))
    }
  })

  test('T8: on a power law a spike of σ₁ mixes with u0_1 and mostly passes; one of 2σ₁ never does', () => {
    const [d, draws] = [128, 60]
    const left = leftSingular(gaussian(d, d, 11)).left
    const right = leftSingular(gaussian(d, d, 12)).left
    const columns = new Float64Array(d * d)
    for (let i = 0; i < d; i++) {
      for (let j = 0; j < d; j++) {
        columns[i * d + j] = left.data[j * d + i]! * (j + 1) ** -0.7
      }
    }
    const W0 = multiply(
      { rows: d, columns: d, data: columns },
      { rows: d, columns: d, data: right.data },
    )
    const base = baseDirections(W0)
    const first = (size: number) =>
      Array.from({ length: draws }, (_, seed) => {
        const W1 = withSpike(W0, size, randomUnit(d, seed + 100), randomUnit(d, seed + 700))
        return findIntruders(base, leadingLeft(W1, 10)).alignment[0]!
      })
    const single = first(1)
    expect(Math.abs(median(single) - 0.67)).toBeLessThan(0.08)
    // 17 % of 60 draws, within three standard deviations of the binomial.
    const flagged = single.filter((c) => c < 0.5).length
    expect(Math.abs(flagged - 0.17 * draws)).toBeLessThan(3 * Math.sqrt(draws * 0.17 * 0.83))
    const double = first(2)
    expect(Math.abs(median(double) - 0.25)).toBeLessThan(0.05)
    expect(double.every((c) => c < 0.5)).toBe(true)
  })
})

describe('findIntruders', () => {
  test('energy share is the intruders’ part of the top k', () => {
    const axes: Vectors = {
      dimension: 3,
      count: 3,
      data: Float64Array.of(1, 0, 0, 0, 1, 0, 0, 0, 1),
    }
    const s = 1 / Math.sqrt(3)
    const tuned = {
      left: { dimension: 3, count: 2, data: Float64Array.of(s, s, s, 0, 1, 0) },
      singularValues: Float64Array.of(4, 3),
      rank: 2,
    }
    const found = findIntruders(explicitBasis(axes), tuned, { epsilon: 0.6 })
    expect(found.intruders).toEqual([0])
    expect(found.energyShare).toBeCloseTo(16 / 25, 12)
    expect(findIntruders(explicitBasis(axes), tuned, { epsilon: 0.5 }).intruders).toEqual([])
    expect(findIntruders(explicitBasis(axes), tuned, { k: 1, epsilon: 0.6 }).energyShare).toBe(1)
  })

  test('ε is strict: c = ε is no intruder', () => {
    const axes: Vectors = { dimension: 2, count: 2, data: Float64Array.of(1, 0, 0, 1) }
    const tuned = {
      left: { dimension: 2, count: 1, data: Float64Array.of(0, 1) },
      singularValues: Float64Array.of(1),
      rank: 1,
    }
    expect(findIntruders(explicitBasis(axes), tuned, { epsilon: 1 }).intruders).toEqual([])
  })

  test('directions without a singular value are not counted', () => {
    const W0 = gaussian(12, 12, 1)
    const W1 = multiply(gaussian(12, 3, 2), gaussian(3, 12, 3))
    expect(compare(W0, W1).alignment).toHaveLength(3)
    const zero = compare(W0, { rows: 12, columns: 12, data: new Float64Array(144) })
    expect(zero).toEqual({ singularValues: [], alignment: [], intruders: [], energyShare: 0 })
  })

  test.each([
    [1, 9],
    [9, 1],
  ])('a %i × %i weight has one direction', (rows, columns) => {
    const found = compare(gaussian(rows, columns, 1), gaussian(rows, columns, 2))
    expect(found.alignment).toHaveLength(1)
    if (rows === 1) expect(found.alignment[0]).toBeCloseTo(1, 12)
  })
})

test('subspace energy sees a turn inside the span that c_j does not', () => {
  const W0 = gaussian(32, 32, 6)
  const { left } = leftSingular(W0)
  const u = vector(left, 0).map((x, t) => (x + vector(left, 1)[t]!) / Math.SQRT2)
  const turned: Vectors = { dimension: 32, count: 1, data: u }
  const base = baseDirections(W0)
  expect(alignments(base, turned)[0]).toBeCloseTo(Math.SQRT1_2, 10)
  const [cosines] = base.cosines(turned)
  expect(energyWithin(cosines!, 2)).toBeCloseTo(1, 10)
  expect(energyWithin(cosines!, 1)).toBeCloseTo(0.5, 10)
})
