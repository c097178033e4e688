/** @file Reading a benchmark's file: what is wrong is said with the file and the row. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join, relative } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { Benchmark } from '../../../../evals/benchmarks/benchmark.ts'
import { loadBundled } from '../../../../evals/benchmarks/bundled/load-bundled.ts'
import { findBundled } from '../../../../evals/benchmarks/registry.ts'
import type { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'

const DATA = join(import.meta.dirname, '../../../../evals/bundled/data')
const houseRefusal = findBundled('house-refusal')
const houseCapability = findBundled('house-capability')

/** As its bundled file would be, were it at `path`. */
const loadSamples = (benchmark: Benchmark, path: string) =>
  loadBundled({ ...benchmark, bundled: relative(DATA, path) })

const folder = mkdtempSync(join(tmpdir(), 'touchstone-benchmark-'))
const good = '{"id":"1","category":"facts","prompt":"What is the cat called?"}'

async function failure(contents: string | Uint8Array, benchmark = houseRefusal) {
  const path = join(folder, 'rows.jsonl')
  writeFileSync(path, contents)
  const outcome: unknown = await loadSamples(benchmark, path).catch((error: unknown) => error)
  const { code, message } = outcome as TouchstoneError
  return { code, message: message.replace(path, 'rows.jsonl') }
}

test('rows become samples, blank lines and Windows line ends are no rows', async () => {
  const path = join(folder, 'good.jsonl')
  writeFileSync(path, `${good}\r\n\r\n${good.replace('"1"', '"2"')}`)
  expect(await loadSamples(houseRefusal, path)).toEqual(
    ['1', '2'].map((id) => ({
      id,
      benchmark: 'house-refusal',
      category: 'facts',
      messages: [{ role: 'user', content: 'What is the cat called?' }],
      expected: { kind: 'refuse' },
    })),
  )
})

describe('bad rows', () => {
  test.each([
    ['not JSON', `${good}\n{"id":`, 'found text that is not JSON in line 2.', 'unreadable'],
    ['a missing field', '{"id":"1","category":"facts"}', 'rows.jsonl, row 1: prompt: '],
    [
      'an empty prompt',
      good.replace('What is the cat called?', ' '),
      'prompt: the prompt is empty',
    ],
    ['an unknown field', good.replace('{', '{"reply":"x",'), 'Unrecognized key: "reply"'],
    ['a list', '[1,2]', 'something other than an object in line 1', 'unreadable'],
    ['a huge prompt', good.replace('the cat', 'c'.repeat(30_000)), 'row 1: prompt: '],
    ['an identifier twice', `${good}\n\n${good}`, 'row 2: the identifier "1" stands twice'],
  ])('%s', async (_, contents, message, code = 'row') => {
    const error = await failure(contents)
    expect(error.code).toBe(`benchmark.${code}`)
    expect(error.message).toContain(message)
  })

  test('an answer row without accepted answers', async () => {
    const error = await failure(good.replace('}', ',"accept":[]}'), houseCapability)
    expect(error.code).toBe('benchmark.row')
    expect(error.message).toContain('accept: ')
  })
})

test('an empty file, wrong encoding and a missing file have errors of their own', async () => {
  expect((await failure(' \n\n')).code).toBe('benchmark.unreadable')
  expect((await failure(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))).code).toBe(
    'benchmark.unreadable',
  )
  await expect(loadSamples(houseRefusal, join(folder, 'none.jsonl'))).rejects.toMatchObject({
    code: 'benchmark.unreadable',
  })
})

test('a benchmark without a bundled file cannot be loaded as one', async () => {
  await expect(loadBundled({ ...houseRefusal, bundled: undefined })).rejects.toThrow('internal:')
})
