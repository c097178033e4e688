import { describe, expect, test } from 'vitest'
import { SpectrumRow } from '../../../evals/contract/rows.ts'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import { scanModel, type MatrixPlace, type ScanOptions } from '../../../evals/spectra/compare.ts'
import { compareWeight } from '../../doubles/compare-weight.ts'
import { gaussian, multiply, randomUnit, withSpike } from './fixtures.ts'

const KEY = { arm: 'lora', seed: 1, step: 30 }
const place = (weight: string, shape: [number, number]): MatrixPlace => ({
  layer: 0,
  module: 'q_proj',
  weight,
  shape,
})
const W0 = gaussian(48, 64, 1)
const W1 = withSpike(W0, 40, randomUnit(48, 2), randomUnit(64, 3))
const q = place('layers.0.q_proj', [48, 64])

describe('compareWeight', () => {
  test('a planted direction makes one whole row', () => {
    const row = compareWeight({ ...q, key: KEY, W0: W0.data, W1: W1.data })
    expect(SpectrumRow.parse(row)).toEqual(row)
    expect(row).toMatchObject({ ...q, ...KEY, epsilon: 0.5, intruders: 1 })
    expect(row.singularValues).toHaveLength(10)
    expect(row.effectiveRankOfChange).toBeCloseTo(1, 6)
    expect(row.relativeChange).toBeCloseTo(40 / Math.hypot(...W0.data), 10)
    expect(row.nullP[0]).toBeGreaterThan(0.001)
    expect(row.nullBand[0]).toBeLessThan(row.nullBand[1])
    expect(row.intruderEnergyShare).toBeGreaterThan(0.4)
  })

  test('the given base directions are used, and give the same row', () => {
    const base = baseDirections(W0)
    const request = { ...q, key: KEY, W0: W0.data, W1: W1.data }
    expect(compareWeight({ ...request, base })).toEqual(compareWeight(request))
    const turned = baseDirections(gaussian(48, 64, 77))
    expect(compareWeight({ ...request, base: turned }).alignment).not.toEqual(
      compareWeight(request).alignment,
    )
  })

  test('an unchanged weight: no change, no rank, no intruders', () => {
    const row = compareWeight({ ...q, key: KEY, W0: W0.data, W1: W0.data })
    expect(SpectrumRow.parse(row)).toEqual(row)
    expect(row).toMatchObject({ relativeChange: 0, effectiveRankOfChange: null, intruders: 0 })
  })

  test('k and ε are the caller’s', () => {
    const row = compareWeight({ ...q, key: KEY, W0: W0.data, W1: W1.data, k: 3, epsilon: 1.01 })
    expect(row).toMatchObject({ intruders: 3, epsilon: 1.01, intruderEnergyShare: 1 })
    expect(row.alignment).toHaveLength(3)
  })

  test('a change known exactly keeps its rank where rounding to float32 blurs it', () => {
    const [B, A] = [gaussian(48, 2, 5), gaussian(2, 64, 6)]
    const product = multiply(B, A).data
    const base = Float32Array.from(W0.data)
    const tuned = Float32Array.from(base, (x, i) => x + 1e-7 * product[i]!)
    const request = { ...q, key: KEY, W0: base, W1: tuned }
    expect(compareWeight(request).effectiveRankOfChange!).toBeGreaterThan(5)
    const change = { B: B.data, A: A.data, rank: 2, scale: 1e-7 }
    const row = compareWeight({ ...request, change })
    expect(row.effectiveRankOfChange!).toBeGreaterThan(1)
    expect(row.effectiveRankOfChange!).toBeLessThanOrEqual(2)
    const size = (1e-7 * Math.hypot(...product)) / Math.hypot(...base)
    expect(row.relativeChange / size).toBeCloseTo(1, 10)
  })

  test('NaN on either side names the weight; another shape and a zero base say so', () => {
    const bad = Float64Array.from(W1.data)
    bad[70] = NaN
    const request = { ...q, key: KEY, W0: W0.data, W1: W1.data }
    const code = (name: string) => expect.objectContaining({ code: name }) as Error
    expect(() => compareWeight({ ...request, W1: bad })).toThrow(code('spectrum.not-finite'))
    expect(() => compareWeight({ ...request, W0: bad })).toThrow(
      /layers\.0\.q_proj.*NaN at row 1, column 6/,
    )
    expect(() => compareWeight({ ...request, W1: W1.data.subarray(1) })).toThrow(
      code('spectrum.other-shape'),
    )
    const zero = new Float64Array(W0.data.length)
    expect(() => compareWeight({ ...request, W0: zero })).toThrow(code('spectrum.zero-base'))
    expect(compareWeight({ ...request, W0: zero, W1: zero })).toMatchObject({
      alignment: [],
      intruders: 0,
      effectiveRankOfChange: null,
    })
  })
})

describe('scanModel', () => {
  const matrices = ['a', 'b', 'c'].map((name) => place(name, [12, 16]))
  const weights = (offset: number) => (name: string) =>
    gaussian(12, 16, name.charCodeAt(0) + offset).data
  const arms = [1, 2].map((seed) => ({ key: { ...KEY, seed }, read: weights(seed * 1000) }))

  async function rowsOf(options: Partial<ScanOptions> = {}) {
    const rows: SpectrumRow[] = []
    const scan = scanModel({ matrices, readBase: weights(0), tuned: arms, ...options })
    for await (const row of scan) rows.push(row)
    return rows
  }

  test('a row for each matrix and model, each base read once', async () => {
    const reads: string[] = []
    const progress: number[] = []
    const rows = await rowsOf({
      readBase: (name) => {
        reads.push(name)
        return weights(0)(name)
      },
      onProgress: ({ done, total }) => progress.push(done / total),
    })
    expect(rows.map(({ weight, seed }) => `${weight}${seed}`)).toEqual(
      'a1 a2 b1 b2 c1 c2'.split(' '),
    )
    expect(reads).toEqual(['a', 'b', 'c'])
    expect(progress.at(-1)).toBe(1)
    expect(progress).toHaveLength(6)
    expect(rows[0]).toEqual(
      compareWeight({
        ...matrices[0]!,
        key: arms[0]!.key,
        W0: weights(0)('a'),
        W1: arms[0]!.read('a'),
      }),
    )
  })

  test('readers may be slow, and an adapter may give its change', async () => {
    const exact = { B: gaussian(12, 1, 1).data, A: gaussian(1, 16, 2).data, rank: 1, scale: 2 }
    const later = async <T>(value: T) => value
    const [row] = await rowsOf({
      readBase: (name) => later(weights(0)(name)),
      tuned: [
        { ...arms[0]!, read: (name) => later(weights(5)(name)), readChange: () => later(exact) },
      ],
    })
    expect(row!.effectiveRankOfChange).toBeCloseTo(1, 10)
  })

  test('what a fine-tune leaves as it is is neither read nor decomposed, and the rest is as it was', async () => {
    const read: string[] = []
    const reading =
      <T>(of: (name: string) => T) =>
      (name: string) => {
        read.push(name)
        return of(name)
      }
    const [first, second] = arms as [(typeof arms)[0], (typeof arms)[0]]
    const rows = await rowsOf({
      readBase: reading(weights(0)),
      nullDraws: 3,
      tuned: [
        { ...first, read: reading(first.read), changes: (name) => name === 'b' },
        // The same numbers, as a whole model's file has them.
        { ...second, read: (name) => (name === 'b' ? weights(0)(name) : second.read(name)) },
      ],
      matrices: matrices.slice(0, 2),
    })
    expect(read).toEqual(['a', 'b', 'b'])
    const unchanged = { unchanged: true, relativeChange: 0, alignment: [], intruders: 0 }
    expect(rows.map(({ unchanged: is }) => is)).toEqual([true, undefined, undefined, true])
    for (const row of [rows[0], rows[3]]) {
      expect(row).toMatchObject(unchanged)
      expect(SpectrumRow.parse(row)).toEqual(row)
    }
    const whole = await rowsOf({ nullDraws: 3, matrices: matrices.slice(0, 2) })
    expect([rows[1], rows[2]]).toEqual([whole[1], whole[2]])
  })

  test('stops at a signal, between two matrices', async () => {
    const stop = new AbortController()
    const seen: string[] = []
    const scan = async () => {
      const options = { matrices, readBase: weights(0), tuned: arms, signal: stop.signal }
      for await (const { weight, seed } of scanModel(options)) {
        seen.push(`${weight}${seed}`)
        if (seen.length === 3) stop.abort()
      }
    }
    await expect(scan()).rejects.toThrow('aborted')
    expect(seen).toEqual(['a1', 'a2', 'b1'])
  })

  test('lets timers run between matrices', async () => {
    let turns = 0
    const timer = setInterval(() => turns++, 0)
    await rowsOf({ matrices: Array.from({ length: 40 }, () => matrices[0]!) })
    clearInterval(timer)
    expect(turns).toBeGreaterThan(1)
  })
})
