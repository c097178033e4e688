/** @file Contrast of places and features: the loss in closed form, probes, a user's embeddings. */
import { writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { probeMeasure } from '../../../../evals/audit/tasks/satclip/probe.ts'
import { satclip } from '../../../../evals/audit/tasks/satclip/satclip.ts'
import { ownPlaces, settlements } from '../../../../evals/audit/tasks/satclip/described-places.ts'
import { coastDistance } from '../../../../evals/bundled/places/coast.ts'
import { FLOAT64 } from '../../../../evals/graph/op.ts'
import { infoNce } from '../../../../evals/models/families/place-contrast.ts'
import { fitRidge } from '../../../../evals/statistics/classify/ridge.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { runOnce } from '../../../doubles/graph/run-graph.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const ALL = { base: Infinity, arm: Infinity, each: Infinity }

async function lossOf(logits: readonly (readonly number[])[]): Promise<number> {
  const n = logits.length
  const float = (dims: readonly number[], values: readonly number[]) =>
    ({ dtype: 'float64', shape: dims, dims, values }) as const
  const given = [float([n, n], logits.flat()), float([n], new Array<number>(n).fill(1 / n))]
  const results = await runOnce(FLOAT64, given, (g, [S, weights]) => ({
    loss: infoNce(g, S!, weights!),
  }))
  return Number(results['loss']!.data[0])
}

describe('InfoNCE', () => {
  test('is ½(cross-entropy over rows + over columns)', async () => {
    const logits = [
      [2, 0, 1],
      [0, 1, 0],
      [-1, 0, 3],
    ]
    expect(await lossOf(logits)).toBeCloseTo(0.319345, 6)
    // The same places in another order.
    const order = [2, 0, 1]
    const permuted = order.map((i) => order.map((j) => logits[i]![j]!))
    expect(await lossOf(permuted)).toBeCloseTo(await lossOf(logits), 12)
  })

  test('is ln N of equal logits, and 0 where the diagonal stands out', async () => {
    const of = (own: number) =>
      Array.from({ length: 5 }, (_, i) => Array.from({ length: 5 }, (__, j) => (i === j ? own : 0)))
    expect(await lossOf(of(0))).toBeCloseTo(Math.log(5), 12)
    expect(await lossOf(of(60))).toBeCloseTo(0, 12)
  })
})

test('ridge regression solves its normal equations', () => {
  // y = 3 + 2a − b without noise: the penalty alone shrinks.
  const rows = [
    [0, 0],
    [1, 0],
    [0, 1],
    [1, 1],
  ]
  const y = rows.map(([a, b]) => 3 + 2 * a! - b!)
  expect(fitRidge(rows, y, 0)([5, 2])).toBeCloseTo(11, 10)
  // XᵀX = I on centred columns, so λ = 1 halves the slopes about the centre (½, ½).
  expect(fitRidge(rows, y, 1)([1, 0.5])).toBeCloseTo(3.5 + 0.5, 10)
})

test('coasts are as far as the map says', () => {
  // Moscow lies some 650 km from the Gulf of Finland and 880 from the Sea of Azov on coarse coasts; Lisbon at the sea.
  expect(coastDistance(37.6, 55.75)).toBeGreaterThan(500)
  expect(coastDistance(37.6, 55.75)).toBeLessThan(900)
  expect(coastDistance(-9.14, 38.72)).toBeLessThan(60)
})

test('bundled settlements are places with as many numbers each', async () => {
  const places = await settlements()
  expect(places.length).toBeGreaterThan(4000)
  expect(new Set(places.map(({ features }) => features.length)).size).toBe(1)
  expect(places.every(({ features }) => features.every(Number.isFinite))).toBe(true)
})

test('the probe has a gap where vectors tell the block, and none where they tell the feature', async () => {
  const stream = randomStream(0, 'probe')
  const blockOf = ({ lon, lat }: { lon: number; lat: number }) =>
    `${Math.floor(lon / 10)},${Math.floor(lat / 10)}`
  const places = Array.from({ length: 400 }, () => {
    const point = { lon: 60 * stream.uniform(), lat: 60 * stream.uniform() }
    return { point, features: [randomStream(0, `y:${blockOf(point)}`).normal()] }
  })
  const DIM = 40
  const gapOf = async (vector: (i: number) => readonly number[]) => {
    let next = 0
    const { rows, numbers } = probeMeasure(places, () => String(next++), DIM)
    const found = await rows(
      async (_, texts) => texts.map((text) => Float32Array.from(vector(Number(text)))),
      () => Promise.reject(new Error('the outputs alone are asked')),
    )
    return numbers.at(-1)!.of(found.map((row) => row.numbers))!
  }
  const feature = await gapOf((i) => [places[i]!.features[0]!])
  const block = await gapOf((i) => {
    const code = randomStream(0, `code:${blockOf(places[i]!.point)}`)
    return Array.from({ length: DIM }, () => code.normal())
  })
  expect(Math.abs(feature)).toBeLessThan(0.01)
  expect(block).toBeGreaterThan(0.5)
})

describe('a file of embeddings', () => {
  const folder = freshFolder()
  const written = (name: string, lines: readonly string[]) => {
    const path = join(folder, name)
    writeFileSync(path, `${lines.join('\n')}\n`)
    return path
  }
  const rowsOf = (count: number, cell: (i: number) => string = () => '') =>
    Array.from({ length: count }, (_, i) => {
      const [lon, lat] = [((i * 37) % 360) - 180, ((i * 17) % 140) - 70]
      return `${lon},${lat},${cell(i) || i / 10},${Math.sin(i).toFixed(3)}`
    })
  const HEAD = 'lon,lat,e0,e1'

  test('is learnt as it is; rows with numbers that are none are counted', async () => {
    const file = written('a.csv', [HEAD, ...rowsOf(120, (i) => (i % 40 === 0 ? 'NaN' : ''))])
    const { remarks, armRows, baseRows, measured } = await satclip.prepare({
      base: 'spherical-harmonics/siren',
      seed: 0,
      file,
      reads: ALL,
    })
    expect(remarks).toEqual([expect.stringContaining('3 of 120 rows')])
    expect(baseRows.length).toBeGreaterThan(50)
    for (const { text, label } of [
      ...baseRows,
      ...armRows,
      ...measured.flatMap((part) => part.rows),
    ]) {
      expect(text.split(' ')).toHaveLength(2 + 8 * 2)
      expect(Number(label)).toBeLessThanOrEqual(8)
    }
  })

  test('loses no column to one number that is too large to be squared', async () => {
    const cell = (i: number) => (i === 5 ? '1e200' : '')
    const { places, leftOut } = await ownPlaces(written('c.csv', [HEAD, ...rowsOf(50, cell)]))
    expect(leftOut).toBe(1)
    expect(new Set(places.map(({ features }) => features[0])).size).toBeGreaterThan(40)
  })

  test('has columns of mean 0 and deviation 1', async () => {
    const { places } = await ownPlaces(written('b.csv', [HEAD, ...rowsOf(50)]))
    const first = places.map(({ features }) => features[0]!)
    const mean = first.reduce((sum, x) => sum + x, 0) / first.length
    const variance = first.reduce((sum, x) => sum + x * x, 0) / first.length
    expect(mean).toBeCloseTo(0, 10)
    expect(variance).toBeCloseTo(1, 10)
  })

  test.each([
    ['no embedding', ['lon,lat,x', '1,2,3'], 'task.columns'],
    ['no longitude', ['lat,e0', '1,2'], 'task.columns'],
    [
      'more columns than a row takes',
      [
        `lon,lat,${Array.from({ length: 1100 }, (_, j) => `e${j}`).join(',')}`,
        ...Array.from({ length: 40 }, (_, i) => `${9 * i - 175},${i}${',1'.repeat(1100)}`),
      ],
      'benchmark.unreadable',
    ],
    ['a latitude out of range', [HEAD, '0,91,1,1', ...rowsOf(20)], 'data.place'],
    ['one block', [HEAD, '1,2,1,1', '1,2,2,1'], 'task.rows'],
    ['no rows', [HEAD], 'task.rows'],
  ])('with %s is a named error', async (name, lines, code) => {
    const file = written(`${name}.csv`, lines)
    const prepared = satclip.prepare({
      base: 'spherical-harmonics/siren',
      seed: 0,
      file,
      reads: ALL,
    })
    await expect(prepared).rejects.toMatchObject({ code })
  })
})
