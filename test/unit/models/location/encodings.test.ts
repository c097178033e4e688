/** @file Encodings of places: fixtures, the sphere's geometry, orthonormality, widths; and what is no number. */
import { describe, expect, test } from 'vitest'
import {
  ENCODING_NAMES,
  featuresAt,
  featuresOf,
  type EncodingName,
} from '../../../../evals/models/location/encodings.ts'
import { NUMBER_UNIT, numberTokenizer } from '../../../../evals/models/text/number-tokenizer.ts'

const at = (lon: number, lat: number, degrees = 10, name: EncodingName = 'spherical-harmonics') =>
  featuresAt(name, { lon, lat }, { degrees, scales: 16 })
const close = (found: readonly number[], expected: readonly number[], digits = 6) => {
  expect(found).toHaveLength(expected.length)
  found.forEach((value, i) => expect(value).toBeCloseTo(expected[i]!, digits))
}

/** Nodes and weights of Gauss–Legendre on [−1, 1], by Newton's method on P_n. */
function gaussLegendre(n: number) {
  return Array.from({ length: n }, (_, i) => {
    let x = Math.cos((Math.PI * (i + 0.75)) / (n + 0.5))
    let slope = 0
    for (let turn = 0; turn < 100; turn++) {
      let [p, before] = [1, 0]
      for (let k = 1; k <= n; k++) [p, before] = [((2 * k - 1) * x * p - (k - 1) * before) / k, p]
      slope = (n * (x * p - before)) / (x * x - 1)
      x -= p / slope
    }
    return { x, weight: 2 / ((1 - x * x) * slope * slope) }
  })
}

describe('spherical harmonics', () => {
  test('are the fixtures', () => {
    close(at(0, 0, 3), [0.282095, 0, 0, 0.488603, 0, 0, -0.315392, 0, 0.546274])
    close(at(10, 52, 2), [0.282095, 0.052236, -0.385024, 0.296244])
  })

  test('have the norm L²/4π everywhere, also at degrees at which factorials overflow', () => {
    for (const [lon, lat] of [
      [0, 0],
      [77, -13],
      [-179, 89.9],
      [33, -90],
    ] as const)
      for (const degrees of [1, 10, 200]) {
        const norm = at(lon, lat, degrees).reduce((sum, y) => sum + y * y, 0)
        expect(norm / (degrees ** 2 / (4 * Math.PI))).toBeCloseTo(1, 9)
      }
  })

  test('close around the earth and at its poles', () => {
    close(at(-180, 37), at(180, 37), 12)
    for (const pole of [-90, 90]) close(at(0, pole), at(123, pole), 12)
  })

  test('are orthonormal', () => {
    const sums = new Float64Array(100 * 100)
    const meridians = 48
    for (const { x, weight } of gaussLegendre(24))
      for (let k = 0; k < meridians; k++) {
        const y = at((360 * k) / meridians - 180, (Math.asin(x) * 180) / Math.PI)
        const share = (weight * 2 * Math.PI) / meridians
        for (let i = 0; i < 100; i++)
          for (let j = 0; j <= i; j++) sums[100 * i + j]! += share * y[i]! * y[j]!
      }
    let worst = 0
    for (let i = 0; i < 100; i++)
      for (let j = 0; j <= i; j++)
        worst = Math.max(worst, Math.abs(sums[100 * i + j]! - (i === j ? 1 : 0)))
    expect(worst).toBeLessThan(1e-12)
  })
})

test('each encoding has its width', () => {
  const [S, degrees] = [7, 5]
  const widths = ENCODING_NAMES.map((name) => [name, featuresOf(name, { degrees, scales: S })])
  expect(Object.fromEntries(widths)).toEqual({
    'spherical-harmonics': degrees ** 2,
    direct: 2,
    cartesian3d: 3,
    wrap: 4,
    grid: 4 * S,
    theory: 6 * S,
    'sphere-c': 3 * S,
    'sphere-c-plus': 6 * S,
    'sphere-m': 5 * S,
    'sphere-m-plus': 8 * S,
  })
})

test('the plain encodings are their formulas', () => {
  const [lon, lat] = [Math.PI / 3, -Math.PI / 4]
  const degrees = (x: number) => (x * 180) / Math.PI
  const of = (name: EncodingName) => at(degrees(lon), degrees(lat), 1, name)
  const [sin, cos] = [Math.sin, Math.cos]
  close(of('direct'), [lon - Math.PI, lat - Math.PI])
  close(of('cartesian3d'), [cos(lon) * cos(lat), sin(lon) * cos(lat), sin(lat)])
  close(of('wrap'), [cos(lon), sin(lon), cos(lat), sin(lat)])
  // The first scale is 1 degree a radian.
  close(
    of('grid').slice(0, 4),
    [60, -45].flatMap((x) => [sin(x), cos(x)]),
  )
})

test('numbers are tokens in units of 2⁻²⁰, and anything else is a named error', () => {
  const tokenizer = numberTokenizer('model')
  const read = (text: string) => tokenizer.encode(text)
  expect(read('13.5  -0.25\n')).toEqual([13.5 * NUMBER_UNIT, -0.25 * NUMBER_UNIT])
  expect(tokenizer.decode(read('13.5 -0.25'))).toBe('13.5 -0.25')
  for (const word of ['north', 'NaN', '1e9', '12,5'])
    expect(() => read(`1 ${word}`)).toThrow(expect.objectContaining({ code: 'data.number' }))
})
