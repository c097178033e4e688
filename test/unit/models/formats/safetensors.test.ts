/** @file Safetensors: every way in which a file can lie is refused; what is written comes back. */
import { mkdtemp, readFile, readdir, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readSafetensorsIndex } from '../../../../evals/models/formats/safetensors.ts'
import { writeSafetensors } from '../../../../evals/models/formats/safetensors-write.ts'
import { openFiles, readStored } from '../../../../evals/models/weights/stored-weights.ts'

let folder: string
let path: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-safetensors-'))
  path = join(folder, 'x.safetensors')
})
afterAll(() => rm(folder, { recursive: true, force: true }))

function fileOf(header: string | Uint8Array, data: Uint8Array, length?: bigint): Buffer {
  const text = typeof header === 'string' ? new TextEncoder().encode(header) : header
  const prefix = Buffer.alloc(8)
  prefix.writeBigUInt64LE(length ?? BigInt(text.length))
  return Buffer.concat([prefix, text, data])
}

const codeOf = async (bytes: Uint8Array) => {
  await writeFile(path, bytes)
  return readSafetensorsIndex(path).then(
    () => 'read',
    (error: unknown) => (error as { code?: string }).code ?? `not ours: ${String(error)}`,
  )
}

const entry = (shape: unknown, begin: unknown, end: unknown, dtype: unknown = 'F32') =>
  JSON.stringify({ dtype, shape, data_offsets: [begin, end] })
const eight = new Uint8Array(8)

describe('refused', () => {
  test.each([
    ['an empty file', new Uint8Array(0)],
    ['seven bytes', new Uint8Array(7)],
    ['a header longer than the file', fileOf('{}', eight, 1000n)],
    ['a header of 2^63 bytes', fileOf('{}', eight, 2n ** 63n)],
    ['a header of no bytes', fileOf('', eight)],
    ['a header that is no JSON', fileOf('{"a": ', eight)],
    ['a header that is a list', fileOf('[]', eight)],
    ['a header that begins with a space', fileOf(' {}', new Uint8Array(0))],
    ['a header that is not UTF-8', fileOf(Uint8Array.of(0x7b, 0xff, 0x7d), eight)],
    ['a header nested a million deep', fileOf('{"a":' + '['.repeat(1_000_000), eight)],
    ['a name twice', fileOf(`{"a": ${entry([2], 0, 8)}, "a": ${entry([2], 0, 8)}}`, eight)],
    [
      'a name twice, once escaped',
      fileOf(`{"a": ${entry([2], 0, 8)}, "\\u0061": ${entry([2], 0, 8)}}`, eight),
    ],
    ['overlapping tensors', fileOf(`{"a": ${entry([2], 0, 8)}, "b": ${entry([1], 4, 8)}}`, eight)],
    ['a hole', fileOf(`{"a": ${entry([1], 4, 8)}}`, eight)],
    ['bytes after the last tensor', fileOf(`{"a": ${entry([1], 0, 4)}}`, eight)],
    ['an end beyond the file', fileOf(`{"a": ${entry([4], 0, 16)}}`, eight)],
    ['an end before the beginning', fileOf(`{"a": ${entry([2], 8, 0)}}`, eight)],
    ['fewer bytes than the shape', fileOf(`{"a": ${entry([3], 0, 8)}}`, eight)],
    ['a negative dimension', fileOf(`{"a": ${entry([-1, -2], 0, 8)}}`, eight)],
    ['half a dimension', fileOf(`{"a": ${entry([0.5, 4], 0, 8)}}`, eight)],
    ['an absurd dimension', fileOf(`{"a": ${entry([1e300], 0, 8)}}`, eight)],
    [
      'dimensions whose product overflows',
      fileOf(`{"a": ${entry([2 ** 40, 2 ** 40], 0, 8)}}`, eight),
    ],
    ['nine dimensions', fileOf(`{"a": ${entry([1, 1, 1, 1, 1, 1, 1, 1, 2], 0, 8)}}`, eight)],
    ['offsets as texts', fileOf(`{"a": ${entry([2], '0', '8')}}`, eight)],
    [
      'an entry with more than is known',
      fileOf('{"a": {"dtype": "F32", "shape": [2], "data_offsets": [0, 8], "x": 1}}', eight),
    ],
    [
      'metadata that is not text',
      fileOf(`{"__metadata__": {"a": 1}, "a": ${entry([2], 0, 8)}}`, eight),
    ],
  ])('%s', async (_, bytes) => {
    expect(await codeOf(bytes)).toBe('checkpoint.malformed')
  })

  test.each(['I64', 'F8_E4M3', 'BOOL', 'f32'])('the storage type %s, by name', async (dtype) => {
    expect(await codeOf(fileOf(`{"a": ${entry([2], 0, 8, dtype)}}`, eight))).toBe(
      'checkpoint.unsupported',
    )
  })

  test('a folder in place of the file', async () => {
    await expect(readSafetensorsIndex(folder)).rejects.toMatchObject({
      code: 'file.unreadable',
    })
  })
})

test('names like those of an object’s own parts are names', async () => {
  expect(await codeOf(fileOf(`{"__proto__": ${entry([2], 0, 8)}}`, eight))).toBe('read')
  expect((await readSafetensorsIndex(path)).weights[0]!.name).toBe('__proto__')
})

test('counters that older BERTs were saved with are held to their place, and are no weights', async () => {
  const counter = (end: number) =>
    `"embeddings.position_ids": ${entry([1, 2], 0, end, 'I64')}, "w": ${entry([1], end, end + 4)}`
  expect(await codeOf(fileOf(`{${counter(16)}}`, new Uint8Array(20)))).toBe('read')
  const { weights } = await readSafetensorsIndex(path)
  expect(weights.map(({ name, offset }) => [name, offset])).toEqual([['w', expect.any(Number)]])
  expect(await codeOf(fileOf(`{${counter(8)}}`, new Uint8Array(12)))).toBe('checkpoint.malformed')
})

test('a scalar, an empty tensor and notes are read', async () => {
  const header = `{"__metadata__": {"format": "pt"}, "e": ${entry([0, 3], 0, 0)}, "s": ${entry([], 0, 4)}}`
  expect(await codeOf(fileOf(header, new Uint8Array(4)))).toBe('read')
  const { weights, metadata } = await readSafetensorsIndex(path)
  expect(weights.map(({ name, bytes }) => [name, bytes])).toEqual([
    ['e', 0],
    ['s', 4],
  ])
  expect(metadata.get('format')).toBe('pt')
})

test.each([
  // 1, −2.5, the smallest subnormal, infinity
  ['F16', Uint16Array.of(0x3c00, 0xc100, 0x0001, 0x7c00), [1, -2.5, 2 ** -24, Infinity]],
  ['BF16', Uint16Array.of(0x3f80, 0xc020, 0x0001, 0x7f80), [1, -2.5, 2 ** -133, Infinity]],
  ['F64', Float64Array.of(1, -2.5, 1e-40, 1e300), [1, -2.5, Math.fround(1e-40), Infinity]],
])('%s becomes float32', async (dtype, stored, expected) => {
  const data = new Uint8Array(stored.buffer)
  // An odd header length puts the numbers at an odd offset.
  const header = `{"a": ${entry([2, 2], 0, data.length, dtype)}}`.padEnd(75)
  expect(await codeOf(fileOf(header, data))).toBe('read')
  const files = await openFiles([path])
  const { weights } = await readSafetensorsIndex(path)
  expect([...readStored(files, weights[0]!)]).toEqual(expected)
  await files.close()
})

describe('written', () => {
  const tensors = [
    { name: 'b', shape: [2], data: Float32Array.of(1, 2) },
    { name: 'a', shape: [1, 3], data: () => Float32Array.of(3, 4, 5) },
  ]

  test('tensors come back, whatever their order was, with the same bytes', async () => {
    await writeSafetensors(path, tensors, { z: '1', a: 'ü' })
    const first = await readFile(path)
    await writeSafetensors(path, [...tensors].reverse(), { a: 'ü', z: '1' })
    expect(await readFile(path)).toEqual(first)
    expect(first.readBigUInt64LE() % 8n).toBe(0n)
    const { weights, metadata } = await readSafetensorsIndex(path)
    expect(weights.map(({ name, shape }) => [name, shape])).toEqual([
      ['a', [1, 3]],
      ['b', [2]],
    ])
    expect(metadata.get('a')).toBe('ü')
  })

  test('a failure leaves the old file and nothing else', async () => {
    await writeSafetensors(path, tensors)
    const before = await readFile(path)
    const noDisk = () => {
      throw new Error('disk')
    }
    const broken = { name: 'c', shape: [1], data: noDisk }
    await expect(writeSafetensors(path, [...tensors, broken])).rejects.toThrow('disk')
    expect(await readFile(path)).toEqual(before)
    expect(await readdir(folder)).toEqual(['x.safetensors'])
  })
})
