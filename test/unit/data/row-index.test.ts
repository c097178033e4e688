/** @file A page of a file's rows is read from where it stands, whatever the kind of file. */
import { mkdtemp, open, rm, utimes, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { openChoice } from '../../../evals/inspect/checked-data.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-index-'))
})
afterAll(() => rm(folder, { recursive: true }))

const ROWS = 1500
/** Every seventh row lacks its reply. */
const rows = Array.from({ length: ROWS }, (_, i) => ({
  prompt: `How many keys has floor ${i}, "please"?\nI ask for room ${'é'.repeat(i % 50)}.`,
  completion: i % 7 === 6 ? null : `${i}`,
}))
const usable = rows.flatMap(({ completion }, i) => (completion === null ? [] : [i + 1]))
const lines = rows.map((row) => JSON.stringify(row)).join('\n')

const FILES: Readonly<Record<string, () => string | Uint8Array>> = {
  'rows.jsonl': () => `\uFEFF${lines}\n`,
  'rows.json': () => `[${rows.map((row) => JSON.stringify(row)).join(',\n')}]`,
  'rows.parquet': () => {
    const columnData = (['prompt', 'completion'] as const).map((name) => ({
      name,
      data: rows.map((row) => row[name]),
      type: 'STRING' as const,
      nullable: true,
    }))
    return new Uint8Array(parquetWriteBuffer({ columnData, rowGroupSize: 400 }))
  },
}

const choiceOf = (source: string) => ({ source, format: null, map: null })

describe.each(Object.entries(FILES))('%s', (name, content) => {
  test.each([0, 1, 255, 256, 300, 1000, usable.length - 3, usable.length, 9999])(
    'a page from usable row %i on',
    async (offset) => {
      const path = join(folder, name)
      await writeFile(path, content())
      const page = await (await openChoice(choiceOf(path))).page(offset, 5)
      expect(page.total).toBe(usable.length)
      expect(page.rows.map(({ row }) => row)).toEqual(usable.slice(offset, offset + 5))
      for (const { row, messages } of page.rows)
        expect(messages.at(-1)!.content).toBe(rows[row - 1]!.completion)
    },
  )
})

test('CSV: a page begins at its record, with line ends inside quotes before it', async () => {
  const path = join(folder, 'rows.csv')
  const record = (i: number) => `"How many keys\r\nhas ""floor"" ${i}, é?",${i}\r\n`
  const body = Array.from({ length: 700 }, (_, i) => record(i)).join('')
  await writeFile(path, `\uFEFFprompt, reply\r\n${body}`)
  const data = await openChoice(choiceOf(path))
  for (const offset of [0, 256, 600]) {
    const { rows: found } = await data.page(offset, 2)
    expect(found.map(({ row, messages }) => [row, messages.at(-1)!.content])).toEqual([
      [offset + 1, `${offset}`],
      [offset + 2, `${offset + 1}`],
    ])
  }
})

test('what stands before a page is not read again', async () => {
  const path = join(folder, 'broken.jsonl')
  const then = new Date(2026, 0)
  await writeFile(path, lines)
  await utimes(path, then, then)
  await (await openChoice(choiceOf(path))).page(0, 1)
  // Behind the rows that are looked at for columns, and before the page, a row is JSON no more.
  const before = lines.split('\n').slice(0, 1010).join('\n')
  const handle = await open(path, 'r+')
  await handle.write('x'.repeat(20), Buffer.byteLength(before) + 1)
  await handle.close()
  await utimes(path, then, then)
  const data = await openChoice(choiceOf(path))
  const { rows: found } = await data.page(1280, 3)
  expect(found.map(({ row }) => row)).toEqual(usable.slice(1280, 1283))
  await expect(data.page(800, 100)).rejects.toMatchObject({ code: 'data.unreadable' })
  // What was written since is another file.
  await utimes(path, then, new Date(2026, 1))
  await expect((await openChoice(choiceOf(path))).page(1280, 3)).rejects.toMatchObject({
    code: 'data.unreadable',
  })
})
