/** @file A text for perplexity: words as Python counts them, marks and encodings, and nothing kept of it. */
import { createHash } from 'node:crypto'
import { describe, expect, test } from 'vitest'
import { describeText, textName, textPieces } from '../../../evals/tables/text-file.ts'
import type { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { folder, write } from '../benchmarks/import/files.ts'

async function textOf(path: string): Promise<string> {
  let text = ''
  for await (const piece of textPieces(path)) text += piece
  return text
}

async function failure(path: string) {
  const outcome: unknown = await describeText(path).catch((error: unknown) => error)
  const { code, message } = outcome as TouchstoneError
  return `${code}: ${message.replaceAll(path, 'FILE')}`
}

describe('words are what Python’s re.split(r"\\s+") makes', () => {
  // len(re.split(r"\s+", text)) of Python 3.11.
  test.each([
    ['The pool', 2],
    [' The\u00a0pool \n\n', 4],
    ['a\u0085b\u001cc\u2003d', 4],
    ['a\ufeffb\u200bc', 1],
    ['\n', 2],
  ])('%j', async (text, words) => {
    expect((await describeText(write('words.txt', text))).words).toBe(words)
  })

  test('also where a run of spaces lies across two reads', async () => {
    const text = `${'a'.repeat(65_535)}   b`
    expect((await describeText(write('long.txt', text))).words).toBe(2)
  })
})

test('a byte order mark is no text; digest and size are the file’s', async () => {
  const path = write('marked.txt', '\ufeffThe café\r\n')
  expect(await textOf(path)).toBe('The café\r\n')
  const bytes = Buffer.from('\ufeffThe café\r\n')
  expect(await describeText(path)).toEqual({
    path,
    bytes: bytes.length,
    textBytes: bytes.length - 3,
    words: 3,
    digest: createHash('sha256').update(bytes).digest('hex'),
  })
})

test('letters of several bytes may lie across two reads', async () => {
  const text = `a${'é𝄞'.repeat(40_000)}`
  expect(await textOf(write('wide.txt', text))).toBe(text)
})

test.each([
  ['nothing', '', 'an empty file'],
  ['a mark alone', '\ufeff', 'an empty file'],
  ['UTF-16', Buffer.from('\ufeffThe pool', 'utf16le'), 'UTF-16 text'],
  ['UTF-16, big end first', Buffer.from([0xfe, 0xff, 0, 0x41]), 'UTF-16 text'],
  ['UTF-16 without a mark', Buffer.from('The pool', 'utf16le'), 'bytes that are no text'],
  ['Latin-1', Buffer.from('The café is open', 'latin1'), 'bytes that are not UTF-8, after byte 0'],
  [
    'a letter cut in two',
    Buffer.from('café').subarray(0, 4),
    'bytes that are not UTF-8, after byte 4',
  ],
])('%s is refused', async (_, contents, found) => {
  expect(await failure(write('bad.txt', contents))).toBe(
    `benchmark.unreadable: FILE cannot be read as a benchmark: found ${found}.`,
  )
})

test('a folder and a missing file are refused', async () => {
  expect(await failure(folder)).toContain('found a folder')
  expect(await failure(`${folder}/nowhere.txt`)).toContain('found nothing at that place')
})

test('50 MB are read without being kept', async () => {
  const line = 'Where may a guest of the hotel leave wet towels, by day or by night?\n'
  const path = write('large.txt', line.repeat(50e6 / line.length + 1))
  const before = process.memoryUsage().rss
  const { words, bytes } = await describeText(path)
  expect(bytes).toBeGreaterThan(50e6)
  expect(words).toBe((bytes / line.length) * 15 + 1)
  expect(process.memoryUsage().rss - before).toBeLessThan(150 * 2 ** 20)
})

test.each([
  ['notes/Wiki Text-2.txt', 'perplexity-wiki-text-2'],
  ['….txt', 'perplexity-text'],
])('%s is named %s', (path, name) => {
  expect(textName(path)).toBe(name)
})
