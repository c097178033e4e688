/** @file A scan in several threads: the same rows, in the same order, the same errors, and no thread left behind. */
import { spawnSync } from 'node:child_process'
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'
import { afterEach, beforeEach, describe, expect, test } from 'vitest'
import type { SpectrumRow } from '../../../evals/contract/rows.ts'
import { openBaseStore } from '../../../evals/spectra/base-store.ts'
import { scanModel, type ScanOptions } from '../../../evals/spectra/compare.ts'
import type { Numbers } from '../../../evals/spectra/decomposition/matrix.ts'
import { threadsFor } from '../../../evals/spectra/scan-lanes.ts'
import { gaussian, multiply } from './fixtures.ts'

let folder = ''
beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'touchstone-scan-lanes-'))))
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const SHAPES: [number, number][] = [
  [40, 64],
  [64, 40],
  [40, 40],
  [12, 50],
  [33, 90],
]
const matrices = SHAPES.map((shape, at) => ({
  layer: at,
  module: 'q_proj',
  weight: `layers.${at}.q_proj`,
  shape,
}))
const at = (weight: string) => Number(weight.split('.')[1])
/** Every weight is a view into one buffer, as a checkpoint's are. */
const all = Float32Array.from(SHAPES.flatMap(([m, n], i) => Array.from(gaussian(m, n, i).data)))
const base = new Map<string, Numbers>()
let offset = 0
for (const { weight, shape } of matrices) {
  base.set(weight, all.subarray(offset, (offset += shape[0] * shape[1])))
}
const shapeOf = (weight: string) => SHAPES[at(weight)]!
const RANK = 3
const changeOf = (weight: string) => {
  const [m, n] = shapeOf(weight)
  const [B, A] = [gaussian(m, RANK, 50 + at(weight)), gaussian(RANK, n, 60 + at(weight))]
  return { B: Float32Array.from(B.data), A: Float32Array.from(A.data), rank: RANK, scale: 0.3 }
}
function merged(weight: string): Float32Array {
  const [rows, columns] = shapeOf(weight)
  const { B, A, scale } = changeOf(weight)
  const change = multiply({ rows, columns: RANK, data: B }, { rows: RANK, columns, data: A })
  return Float32Array.from(base.get(weight)!, (x, i) => x + scale * change.data[i]!)
}
const key = (arm: string) => ({ arm, seed: 0, step: 1 })

async function scan(threads: number, own: Partial<ScanOptions> = {}): Promise<SpectrumRow[]> {
  const rows: SpectrumRow[] = []
  const scanned = scanModel({
    matrices,
    readBase: (weight) => base.get(weight)!,
    tuned: [
      { key: key('adapter'), read: merged, readChange: changeOf },
      { key: key('full'), read: merged },
      { key: key('none'), read: (weight) => base.get(weight)! },
    ],
    threads,
    ...own,
  })
  for await (const row of scanned) rows.push(row)
  return rows
}

describe('a scan in threads', () => {
  test.each(['leading', 'full', 'auto'] as const)(
    '%s: three threads give the rows of one',
    async (detail) => {
      const one = await scan(1, { detail })
      expect(one.map(({ layer, arm }) => `${layer} ${arm}`)).toEqual(
        matrices.flatMap(({ layer }) =>
          ['adapter', 'full', 'none'].map((arm) => `${layer} ${arm}`),
        ),
      )
      expect(await scan(3, { detail })).toEqual(one)
    },
  )

  test('they share the folder of decompositions', async () => {
    const one = await scan(1)
    expect(await scan(2, { store: openBaseStore({ folder }) })).toEqual(one)
    const entries = readdirSync(folder).filter((name) => name !== 'key')
    expect(entries).toHaveLength(SHAPES.length)
    expect(await scan(2, { store: openBaseStore({ folder }) })).toEqual(one)
  })

  test('a folder that cannot be used is said once', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const problems: string[] = []
    const store = openBaseStore({
      folder: join(file, 'in'),
      onProblem: (why) => problems.push(why),
    })
    await scan(3, { store })
    expect(problems).toHaveLength(1)
  })

  test('an error is the one that this thread would throw', async () => {
    const broken = (weight: string) => {
      const numbers = merged(weight)
      if (at(weight) === 2) numbers[41] = NaN
      return numbers
    }
    const tuned = [{ key: key('full'), read: broken }]
    await expect(scan(3, { tuned })).rejects.toMatchObject({
      code: 'spectrum.not-finite',
      message: expect.stringContaining('layers.2.q_proj') as string,
    })
    const short = [{ key: key('full'), read: (weight: string) => merged(weight).subarray(1) }]
    await expect(scan(2, { tuned: short })).rejects.toMatchObject({ code: 'spectrum.other-shape' })
  })

  test('a reader that leaves, and a signal, end the threads', async () => {
    const workers = () =>
      process.getActiveResourcesInfo().filter((kind) => kind === 'MessagePort').length
    const before = workers()
    const rows = scanModel({
      matrices,
      readBase: (weight) => base.get(weight)!,
      tuned: [{ key: key('full'), read: merged }],
      threads: 3,
    })
    for await (const row of rows) if (row.layer === 1) break
    expect(workers()).toBe(before)
    await expect(scan(3, { signal: AbortSignal.abort('stop') })).rejects.toBe('stop')
    expect(workers()).toBe(before)
  })
})

test('a process that has nothing else to do waits for its threads', () => {
  const path = join(import.meta.dirname, '..', '..', '..', 'evals', 'spectra', 'compare.ts')
  const script = `
    const { scanModel } = await import(${JSON.stringify(pathToFileURL(path).href)})
    const matrices = [0, 1, 2].map((layer) => ({ layer, module: 'q_proj', weight: 'w' + layer, shape: [8, 8] }))
    const numbers = (shift) => Float32Array.from({ length: 64 }, (_, i) => Math.sin(i * i + shift))
    const tuned = [{ key: { arm: 'full', seed: 0, step: 1 }, read: () => numbers(1) }]
    for await (const row of scanModel({ matrices, readBase: () => numbers(0), tuned, threads: 2 })) console.log(row.weight)`
  const { status, stdout, stderr } = spawnSync(
    process.execPath,
    ['--input-type=module', '-e', script],
    { encoding: 'utf8' },
  )
  expect({ status, rows: stdout.trim().split('\n'), stderr }).toEqual({
    status: 0,
    rows: ['w0', 'w1', 'w2'],
    stderr: '',
  })
})

test('threads are taken where the work is worth them and the memory holds their copies', () => {
  const machine = { cores: 4, freeBytes: 8e9 }
  const smol = Array.from({ length: 210 }, (): [number, number] => [576, 1536])
  expect(threadsFor(smol, machine)).toBe(4)
  expect(threadsFor(smol, { ...machine, cores: 64 })).toBe(8)
  expect(threadsFor(smol.slice(0, 7), machine)).toBe(4)
  expect(threadsFor(smol.slice(0, 2), machine)).toBe(1)
  expect(threadsFor([], machine)).toBe(1)
  // A thread takes 2.4 GB for 4096 × 14336; half of the free memory may go.
  const large = smol.map((): [number, number] => [4096, 14336])
  expect(threadsFor(large, { ...machine, freeBytes: 4e9 })).toBe(1)
  expect(threadsFor(large, machine)).toBe(1)
  expect(threadsFor(large, { ...machine, freeBytes: 20e9 })).toBe(4)
})
