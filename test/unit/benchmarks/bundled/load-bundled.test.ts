/** @file Reading a benchmark's file: what is wrong is said with the file and the row. */
import { mkdtempSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { houseCapability } from '../../../../evals/benchmarks/bundled/house-capability.ts'
import { houseRefusal } from '../../../../evals/benchmarks/bundled/house-refusal.ts'
import { loadBundled, loadSamples } from '../../../../evals/benchmarks/bundled/load-bundled.ts'
import type { TouchstoneError } from '../../../../evals/errors/touchstone-error.ts'

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
    ['not JSON', `${good}\n{"id":`, 'rows.jsonl, row 2: the line is not JSON.'],
    ['a missing field', '{"id":"1","category":"facts"}', 'rows.jsonl, row 1: prompt: '],
    [
      'an empty prompt',
      good.replace('What is the cat called?', ' '),
      'prompt: the prompt is empty',
    ],
    ['an unknown field', good.replace('{', '{"reply":"x",'), 'Unrecognized key: "reply"'],
    ['a list', '[1,2]', 'row 1: '],
    ['a huge prompt', good.replace('the cat', 'c'.repeat(30_000)), 'row 1: prompt: '],
    ['an identifier twice', `${good}\n\n${good}`, 'row 3: the identifier "1" was used in row 1'],
  ])('%s', async (_, contents, message) => {
    const error = await failure(contents)
    expect(error.code).toBe('data.row')
    expect(error.message).toContain(message)
  })

  test('an answer row without accepted answers', async () => {
    const error = await failure(good.replace('}', ',"accept":[]}'), houseCapability)
    expect(error.code).toBe('data.row')
    expect(error.message).toContain('accept: ')
  })
})

test('an empty file, wrong encoding and a missing file have errors of their own', async () => {
  expect((await failure(' \n\n')).code).toBe('data.empty')
  expect((await failure(new Uint8Array([0x7b, 0xff, 0xfe, 0x7d]))).code).toBe('data.unreadable')
  await expect(loadSamples(houseRefusal, join(folder, 'none.jsonl'))).rejects.toMatchObject({
    code: 'data.unreadable',
  })
})

test('a benchmark without a bundled file cannot be loaded as one', async () => {
  await expect(loadBundled({ ...houseRefusal, bundled: undefined })).rejects.toThrow('internal:')
})
