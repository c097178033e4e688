/** @file Every storage type against ggml's reference, bit for bit. */
import { readFileSync } from 'node:fs'
import { expect, test } from 'vitest'
import type { StorageType } from '../../evals/models/weights/storage.ts'
import { STORAGE_FORMATS } from '../../evals/models/weights/dequantise.ts'

interface Case {
  storage: StorageType
  bytes: string
  values: string
}
const { cases } = JSON.parse(
  readFileSync(new URL('./fixtures/dequantise.json', import.meta.url), 'utf8'),
) as { cases: Case[] }

const bytesOf = (base64: string) => Uint8Array.from(Buffer.from(base64, 'base64'))

test.each(cases)('$storage', ({ storage, bytes, values }) => {
  const expected = new Uint32Array(bytesOf(values).buffer)
  const found = new Float32Array(expected.length)
  STORAGE_FORMATS[storage].decode(bytesOf(bytes), found)
  expect(new Uint32Array(found.buffer)).toEqual(expected)
})

test('covers every storage type but the two that are copied', () => {
  const covered = new Set<string>([...cases.map(({ storage }) => storage), 'F32', 'F64'])
  expect(Object.keys(STORAGE_FORMATS).filter((name) => !covered.has(name))).toEqual([])
})
