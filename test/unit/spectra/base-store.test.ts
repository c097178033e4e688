/** @file Decompositions on disk: computed once, bounded, and never believed where they are damaged. */
import {
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  utimesSync,
  writeFileSync,
} from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest'
import { defaultCacheFolder, openBaseStore } from '../../../evals/spectra/base-store.ts'
import { baseDirections } from '../../../evals/spectra/basis.ts'
import type { SpectrumRow } from '../../../evals/contract/rows.ts'
import { scanModel } from '../../../evals/spectra/compare.ts'
import type { Matrix } from '../../../evals/spectra/decomposition/matrix.ts'
import type * as Svd from '../../../evals/spectra/decomposition/svd.ts'
import { gaussian, multiply, randomUnit } from './fixtures.ts'

const decompositions = vi.hoisted(() => ({ count: 0 }))
vi.mock('../../../evals/spectra/decomposition/svd.ts', async (original) => {
  const real = await original<typeof Svd>()
  return {
    ...real,
    decomposed: (...args: Parameters<typeof real.decomposed>) => {
      decompositions.count++
      return real.decomposed(...args)
    },
  }
})

let folder = ''
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'touchstone-base-store-'))
  decompositions.count = 0
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const names = ['a', 'b', 'c']
const weightOf = (name: string) => gaussian(12, 16, name.charCodeAt(0))
const matrices = names.map((weight) => ({
  layer: 0,
  module: 'q_proj',
  weight,
  shape: [12, 16] as [number, number],
}))

async function scan(capacityBytes?: number, problems: string[] = [], at = folder) {
  const rows: SpectrumRow[] = []
  const found = scanModel({
    matrices,
    readBase: (name) => weightOf(name).data,
    tuned: [1, 2].map((seed) => ({
      key: { arm: 'lora', seed, step: 1 },
      read: (name) => gaussian(12, 16, name.charCodeAt(0) + seed * 100).data,
    })),
    store: openBaseStore({
      folder: at,
      ...(capacityBytes === undefined ? {} : { capacityBytes }),
      onProblem: (why) => problems.push(why),
    }),
  })
  for await (const row of found) rows.push(row)
  return rows
}
const entries = () => readdirSync(folder).filter((name) => name.endsWith('.base'))
const sizeOfOne = () => statSync(join(folder, entries()[0]!)).size

describe('a scan with a store', () => {
  test('decomposes each base weight once for all tuned models and all later scans', async () => {
    const first = await scan()
    expect(decompositions.count).toBe(3)
    expect(await scan()).toEqual(first)
    expect(decompositions.count).toBe(3)
    expect(entries()).toHaveLength(3)
    expect(readdirSync(folder).sort()).toEqual([...entries(), 'key'].sort())
  })

  test.each([
    ['cut short', (bytes: Buffer) => bytes.subarray(0, 100)],
    ['empty', () => Buffer.alloc(0)],
    ['with one bit turned', (bytes: Buffer) => ((bytes[200]! ^= 1), bytes)],
    ['with another digest', (bytes: Buffer) => ((bytes[bytes.length - 1]! ^= 1), bytes)],
    ['far too long', (bytes: Buffer) => Buffer.concat([bytes, Buffer.alloc(1e6)])],
    ['text', () => Buffer.from('{"near": [1, 2, 3]}')],
  ])('computes an entry again that is %s, and mends it', async (_, damage) => {
    const first = await scan()
    const path = join(folder, entries()[0]!)
    const whole = readFileSync(path)
    writeFileSync(path, damage(Buffer.from(whole)))
    expect(await scan()).toEqual(first)
    expect(decompositions.count).toBe(4)
    expect(readFileSync(path).equals(whole)).toBe(true)
  })

  test('an entry under the name of another weight is not taken for it', async () => {
    await scan()
    const [one, other] = entries().map((name) => join(folder, name))
    const decoy = Buffer.from(readFileSync(other!))
    // The same shape, so that only the name tells: it is the digest of the weight, checked before it is opened.
    expect(one).not.toBe(other)
    expect(decoy.length).toBe(sizeOfOne())
    const [W, V] = [weightOf('a'), weightOf('b')]
    const store = openBaseStore({ folder })
    const [a, b] = [await store.find(W), await store.find(V)]
    expect(a!.parts.singularValues).toEqual(baseDirections(W).parts.singularValues)
    expect(b!.parts.singularValues).toEqual(baseDirections(V).parts.singularValues)
    expect(await store.find({ ...W, rows: 16, columns: 12 })).toBeUndefined()
    expect(await store.find({ ...W, data: Float32Array.from(W.data) })).toBeUndefined()
  })

  test('stays within its bytes: the least recently used go, what this scan uses stays', async () => {
    await scan()
    const size = sizeOfOne()
    const other = gaussian(12, 16, 999)
    const old = join(folder, entries()[0]!)
    utimesSync(old, new Date(1000), new Date(1000))
    const store = openBaseStore({ folder, capacityBytes: 3 * size })
    await store.save(other, baseDirections(other))
    expect(entries()).toHaveLength(3)
    expect(entries().map((name) => join(folder, name))).not.toContain(old)
    // Room for two: the third would have to throw out what the scan itself put in.
    rmSync(folder, { recursive: true })
    decompositions.count = 0
    const rows = await scan(2 * size)
    expect(entries()).toHaveLength(2)
    expect(await scan(2 * size)).toEqual(rows)
    expect(decompositions.count).toBe(4)
  })

  test('clears what a killed process left half-written, when it needs the room', async () => {
    await scan()
    const size = sizeOfOne()
    const half = join(folder, `${'0'.repeat(64)}.base.0123abcd.tmp`)
    writeFileSync(half, Buffer.alloc(size))
    utimesSync(half, new Date(0), new Date(0))
    const W = gaussian(12, 16, 5)
    await openBaseStore({ folder, capacityBytes: 4 * size }).save(W, baseDirections(W))
    expect(entries()).toHaveLength(4)
    expect(readdirSync(folder)).not.toContain(half)
  })

  test('a folder that cannot be made is said once and done without', async () => {
    const file = join(folder, 'file')
    writeFileSync(file, '')
    const problems: string[] = []
    expect(await scan(undefined, problems, join(file, 'inside'))).toEqual(await scan())
    expect(problems).toHaveLength(1)
  })
})

test.each([
  [20, 30, 20],
  [30, 20, 20],
  [20, 30, 4],
  [30, 20, 4],
])('%i × %i of rank %i: what is found is what was saved', async (rows, columns, rank) => {
  const W: Matrix = multiply(gaussian(rows, rank, 1), gaussian(rank, columns, 2))
  const store = openBaseStore({ folder })
  const made = baseDirections(W)
  await store.save(W, made)
  const found = await store.find(W)
  expect(found!.parts).toEqual(made.parts)
  const u = { dimension: rows, count: 1, data: randomUnit(rows, 3) }
  expect(found!.cosines(u)).toEqual(made.cosines(u))
})

test('the cache folder is where the platform keeps caches', () => {
  const inHome = (platform: string, environment = {}) =>
    defaultCacheFolder(environment, platform, '/home/u')
  expect(inHome('linux')).toBe(join('/home/u', '.cache', 'touchstone', 'spectra'))
  expect(inHome('darwin')).toBe(join('/home/u', 'Library', 'Caches', 'touchstone', 'spectra'))
  expect(inHome('win32', { LOCALAPPDATA: '/l' })).toBe(join('/l', 'touchstone', 'spectra'))
  expect(inHome('linux', { XDG_CACHE_HOME: '/x' })).toBe(join('/x', 'touchstone', 'spectra'))
})
