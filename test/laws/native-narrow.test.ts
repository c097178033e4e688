/** @file The law of a scan's products and of its kept decompositions: few rows with a large matrix, and entries that are mapped. */
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, describe, expect, test, vi } from 'vitest'
import { FALLBACK } from '../../evals/native/fallback.ts'
import { load, numericsOf } from '../../evals/native/load.ts'
import { openBaseStore } from '../../evals/spectra/base-store.ts'
import { baseSystem } from '../../evals/spectra/basis.ts'
import { fillNormal, randomStream } from '../../evals/statistics/random.ts'

const found = load()
const title = found.addon
  ? 'the addon'
  : `the addon (skipped: ${found.why}; npm run build:native, which needs a C++ compiler)`
const known = found.addon?.knownInstructions() ?? []
const first = known[0]

const normals = (length: number, label: string) =>
  fillNormal(new Float64Array(length), randomStream(1, label))

/** Σ of so many products of normal numbers, in another order and fused: a few roundings of its size. */
const boundOf = (width: number) => 64 * Number.EPSILON * width

function expectToRounding(ours: Float64Array, theirs: Float64Array, width: number): void {
  expect(ours.length).toBe(theirs.length)
  const apart = ours.reduce((most, x, i) => Math.max(most, Math.abs(x - theirs[i]!)), 0)
  expect(apart).toBeLessThan(boundOf(width))
}

/** Around every edge: rows of A side by side (8), of B (8, 4 or 2), columns at a time (256), and the most rows (32). */
const ROWS = [1, 2, 7, 8, 9, 16, 31, 32, 33]
const SIZES = [
  [1, 1],
  [7, 255],
  [8, 256],
  [9, 257],
  [61, 700],
] as const
const cases = ROWS.flatMap((r) => SIZES.map(([m, n]) => [r, m, n] as const))

describe.each(known)(`${title}, with %s`, (instructions) => {
  let NATIVE = numericsOf(found.addon)
  beforeAll(() => {
    expect(found.addon!.chooseInstructions(instructions)).toBe(true)
    NATIVE = numericsOf(found.addon)
    return () => void found.addon!.chooseInstructions(first!)
  })

  test.each(cases)('%i rows with %i rows of %i, and nothing beyond is written', (p, q, width) => {
    const [A, B] = [normals(p * width, 'A'), normals(q * width, 'B')]
    const out = new Float64Array(p * q + 1).fill(7)
    found.addon!.rowProducts(A, p, B, q, width, false, out)
    expect(out.at(-1)).toBe(7)
    expectToRounding(out.subarray(0, -1), FALLBACK.rowProducts(A, p, B, q, width), width)
  })

  test.each(cases)('%i rows through a weight [%i, %i], both ways', (r, m, n) => {
    const W = Float32Array.from(normals(m * n, 'W'))
    for (const transposed of [false, true]) {
      const Y = normals(r * (transposed ? n : m), 'Y')
      const [ours, theirs] = [NATIVE, FALLBACK].map((each) =>
        each.throughWeight(Y, r, W, m, n, transposed),
      )
      expectToRounding(ours!, theirs!, Math.max(m, n))
    }
  })

  test('what is no number stays in its own row', () => {
    const [p, q, width] = [9, 11, 300]
    const [A, B] = [normals(p * width, 'A'), normals(q * width, 'B')]
    A[3 * width + 5] = NaN
    const C = NATIVE.rowProducts(A, p, B, q, width)
    C.forEach((x, i) => expect(Number.isNaN(x)).toBe(Math.floor(i / q) === 3))
  })
})

describe.skipIf(!found.addon)(`a large kept decomposition, ${title}`, () => {
  let folder = ''
  beforeEach(() => (folder = mkdtempSync(join(tmpdir(), 'touchstone-mapped-base-'))))
  afterEach(() => {
    vi.restoreAllMocks()
    rmSync(folder, { recursive: true, force: true })
  })

  /** 16.1 MiB with its vectors, which need not be those of the weight to be kept. */
  const SIZE = 1454
  const W0 = { rows: SIZE, columns: SIZE, data: Float32Array.from(normals(SIZE * SIZE, 'W0')) }
  const parts = {
    singularValues: normals(SIZE, 'σ'),
    near: normals(SIZE * SIZE, 'near'),
    far: undefined,
  }

  test('is mapped, is what was kept, and leaves the buffer of small ones alone', async () => {
    const store = openBaseStore({ folder })
    await store.save(W0, baseSystem(W0, parts))
    const mapping = vi.spyOn(found.addon!, 'mapFile')
    const room = { buffer: new ArrayBuffer(0) }
    const kept = await store.find(W0, room)
    expect(mapping).toHaveBeenCalledTimes(1)
    expect(room.buffer.byteLength).toBe(0)
    expect(kept!.parts.singularValues).toEqual(parts.singularValues)
    expect(Buffer.compare(bytesOf(kept!.parts.near), bytesOf(parts.near))).toBe(0)
    // Replaced or removed, it is still what it was.
    for (const name of readdirSync(folder)) rmSync(join(folder, name))
    expect(kept!.parts.near.at(-1)).toBe(parts.near.at(-1))
  })

  test('with one bit turned is not believed', async () => {
    const store = openBaseStore({ folder })
    await store.save(W0, baseSystem(W0, parts))
    const path = join(
      folder,
      readdirSync(folder).find((name) => name.endsWith('.base'))!,
    )
    const bytes = readFileSync(path)
    bytes[bytes.length >> 1]! ^= 1
    writeFileSync(path, bytes)
    expect(await store.find(W0)).toBeUndefined()
  })

  test('that cannot be mapped is read', async () => {
    const store = openBaseStore({ folder })
    await store.save(W0, baseSystem(W0, parts))
    vi.spyOn(found.addon!, 'mapFile').mockReturnValue(null)
    const kept = await store.find(W0)
    expect(Buffer.compare(bytesOf(kept!.parts.near), bytesOf(parts.near))).toBe(0)
  })
})

const bytesOf = ({ buffer, byteOffset, byteLength }: Float64Array) =>
  new Uint8Array(buffer, byteOffset, byteLength)
