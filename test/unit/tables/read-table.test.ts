/** @file Reading files from strangers: quoted line ends, marks, line ends, wrong encodings, truncation, size, Parquet. */
import { createHash } from 'node:crypto'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { describe, expect, test } from 'vitest'
import { loadFile } from '../../../evals/benchmarks/import/load-file.ts'
import { readTable } from '../../../evals/tables/read-table.ts'
import type { TouchstoneError } from '../../../evals/errors/touchstone-error.ts'
import { csv, EXAMPLES, folder, jsonLines, write } from '../benchmarks/import/files.ts'

async function failure(path: string) {
  const outcome: unknown = await readTable(path).catch((error: unknown) => error)
  const { code, message } = outcome as TouchstoneError
  return `${code}: ${message.replaceAll(path, 'FILE')}`
}
const unreadable = (found: string) =>
  `benchmark.unreadable: FILE cannot be read as a benchmark: found ${found}.`

describe('CSV', () => {
  const rows = [['A "b", c\r\nd\n', 'x']] as const
  const expected = [{ goal: 'A "b", c\r\nd\n', target: 'x' }]

  test.each([
    ['plain', csv(['goal', 'target'], rows)],
    ['with a byte order mark', `\uFEFF${csv(['goal', 'target'], rows)}`],
    ['with Windows line ends', 'goal,target\r\n"A ""b"", c\r\nd\n",x\r\n'],
    ['without a last line end', 'goal,target\n"A ""b"", c\r\nd\n",x'],
    ['with empty lines', 'goal,target\n\n"A ""b"", c\r\nd\n",x\n\n'],
  ])('%s', async (_, contents) => {
    const table = await readTable(write('plain.csv', contents))
    expect(table.columns).toEqual(['goal', 'target'])
    expect(table.rows).toEqual(expected)
  })

  test('bytes that are not UTF-8 are replaced and counted', async () => {
    const text = csv(['goal', 'target'], [['Where is the caf@ of the hotel? '.repeat(4), 'x']])
    const bytes = Buffer.from(text, 'latin1')
    bytes[bytes.indexOf('@')] = 0xe9
    const { rows, replaced } = await readTable(write('latin.csv', bytes))
    expect(replaced).toBe(1)
    expect(rows[0]!['goal']).toContain('caf\uFFFD of')
  })

  test.each([
    ['UTF-16', Buffer.from('\uFEFFgoal,target\nx,y\n', 'utf16le'), 'UTF-16 text'],
    ['zeros', Buffer.alloc(100), 'bytes that are no text'],
    ['another encoding', Buffer.alloc(100, 0xe9), '100 characters that are not UTF-8'],
    ['nothing', '', 'an empty file'],
    ['a quote that never ends', 'goal,target\n"a,b\n', 'a quoted field that never ends at line 2'],
    [
      'a cut record',
      'goal,target\na,b\nc',
      'a record with more or fewer fields than the first at line 3',
    ],
    ['a column twice', 'goal,goal\na,b\n', 'two columns named "goal"'],
  ])('%s is refused', async (_, contents, found) => {
    expect(await failure(write('bad.csv', contents))).toBe(unreadable(found))
  })

  test('50 MB are read in less than 3 s of a processor', async () => {
    const prompt = 'Where may a guest of the hotel leave wet towels, "by day", and why? '.repeat(14)
    const count = 52_000
    const path = write(
      'or-bench-80k-long.csv',
      csv(
        ['prompt', 'category'],
        Array.from({ length: count }, (_, i) => [`${i} ${prompt}`, 'towels']),
      ),
    )
    // Other tests run beside this one, so the clock on the wall says little.
    const began = process.cpuUsage()
    const { benchmarks, table } = await loadFile({ path })
    const { user, system } = process.cpuUsage(began)
    const seconds = (user + system) / 1e6
    expect(table.bytes).toBeGreaterThan(50e6)
    expect(benchmarks[0]!.samples).toHaveLength(count)
    expect(seconds).toBeLessThan(3)
  })
})

describe('JSON', () => {
  test('an array, lines, and lines under the name .json are the same rows', async () => {
    const rows = [
      { a: 1, b: 'x\ny' },
      { a: 2, c: [3] },
    ]
    const files = [
      write('rows.json', JSON.stringify(rows)),
      write('rows.jsonl', `${jsonLines(rows)}\r\n`),
      write('lines.json', jsonLines(rows)),
    ]
    for (const path of files) {
      const table = await readTable(path)
      expect([table.columns, table.rows], path).toEqual([['a', 'b', 'c'], rows])
    }
  })

  test.each([
    ['cut.json', '{"a": ["b', 'text that is not JSON'],
    ['cut.jsonl', '{"a": 1}\n{"a"', 'text that is not JSON in line 2'],
    ['list.jsonl', '{"a": 1}\n[1]', 'something other than an object in line 2'],
    ['object.json', '{"a": 1}', 'JSON that is neither rows nor prompts by category'],
    ['mixed.json', '[{"a": 1}, 2]', 'JSON that is neither rows nor prompts by category'],
    ['empty.json', '[]', 'no rows'],
  ])('%s is refused', async (name, contents, found) => {
    expect(await failure(write(name, contents))).toBe(unreadable(found))
  })

  test('a category whose prompt is no text is refused by row', async () => {
    const path = write('benchfile-bad.json', JSON.stringify({ keys: ['Where?', 3] }))
    await expect(loadFile({ path })).rejects.toMatchObject({ code: 'benchmark.row' })
  })
})

describe('Parquet', () => {
  const bytes = new Uint8Array(
    parquetWriteBuffer({
      columnData: [
        { name: 'question_id', data: [1n, 2n], type: 'INT64' },
        { name: 'category', data: ['keys', 'linen'], type: 'STRING' },
        { name: 'prompt', data: ['Where is key 3?', 'Wo ist Schlüssel 3?'], type: 'STRING' },
      ],
    }),
  )

  test('columns, whole numbers and text', async () => {
    const table = await readTable(write('train.parquet', bytes))
    expect(table.rows).toEqual([
      { question_id: 1, category: 'keys', prompt: 'Where is key 3?' },
      { question_id: 2, category: 'linen', prompt: 'Wo ist Schlüssel 3?' },
    ])
    const { benchmarks } = await loadFile({ path: write('train.parquet', bytes) })
    expect(benchmarks.map(({ benchmark }) => benchmark.name)).toEqual(['sorry-bench'])
  })

  test('cut, emptied and overwritten files are refused', async () => {
    const cut = write('cut.parquet', bytes.slice(0, bytes.length - 9))
    const text = write('text.parquet', 'prompt,category\n')
    const broken = bytes.slice()
    broken.fill(0xff, 4, 60)
    for (const path of [cut, text, write('broken.parquet', broken)])
      expect(await failure(path)).toBe(unreadable('a damaged Parquet file'))
  })
})

test('a folder, a missing file and an unknown ending are refused', async () => {
  expect(await failure(folder)).toBe(unreadable('a folder'))
  expect(await failure(`${folder}/nowhere.csv`)).toBe(unreadable('nothing at that place'))
  expect(await failure(write('rows.xlsx', 'x'))).toBe(
    unreadable('a name that ends in none of .csv, .json, .jsonl, .parquet'),
  )
})

test('the digest is that of the bytes', async () => {
  const { name, contents } = EXAMPLES[0]!
  const { digest } = await readTable(write(name, contents))
  expect(digest).toBe(createHash('sha256').update(contents).digest('hex'))
})
