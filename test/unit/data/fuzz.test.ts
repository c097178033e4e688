/** @file Hundreds of damaged files of fine-tuning data in each form: read, or refused by name; none hangs, crashes or bloats. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { readData } from '../../../evals/data/read-data.ts'
import { attack, attackValues, RUNS } from '../../doubles/models/damaged-files.ts'
import { counted } from '../../doubles/tier.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-fuzz-data-'))
})
afterAll(() => rm(folder, { recursive: true, force: true }))

const ROWS = Array.from({ length: 12 }, (_, i) => ({
  instruction: `When does the pool open on day ${i}?`,
  input: i % 3 === 0 ? 'We arrive on Friday, “late”.' : '',
  output: `At ${i}, née à sept.`,
}))
const CHATS = ROWS.map(({ instruction, output }) => ({
  messages: [
    { role: 'user', content: instruction },
    { role: 'assistant', content: output },
  ],
}))
const quoted = (text: string) => `"${text.replaceAll('"', '""')}"`
const column = (name: keyof (typeof ROWS)[number]) => ({
  name,
  data: ROWS.map((row) => row[name]),
  type: 'STRING' as const,
})

const FILES: Readonly<Record<string, string | Uint8Array>> = {
  'chats.jsonl': CHATS.map((row) => JSON.stringify(row)).join('\n'),
  'alpaca.json': JSON.stringify(ROWS, null, 1),
  'alpaca.csv': [
    'instruction,input,output',
    ...ROWS.map((row) => Object.values(row).map(quoted).join(',')),
  ].join('\r\n'),
  'alpaca.parquet': new Uint8Array(
    parquetWriteBuffer({ columnData: [column('instruction'), column('input'), column('output')] }),
  ),
}

/** What is read is whole: rows in order, each with a reply to learn from, and none that the file does not hold. */
async function expectRead(path: string): Promise<void> {
  const { rows, total, usable, unusable } = await readData({ path })
  expect(usable).toBe(rows.length)
  expect(usable + unusable.length).toBe(total)
  let before = 0
  for (const { row, messages } of rows) {
    expect(row).toBeGreaterThan(before)
    before = row
    expect(row).toBeLessThanOrEqual(total)
    expect(messages.some(({ role }) => role === 'assistant')).toBe(true)
    for (const { content } of messages) expect(content).toBeTypeOf('string')
  }
}

describe(`${RUNS} damaged copies of`, () => {
  test.each(Object.entries(FILES))('%s', async (name, content) => {
    const path = join(folder, name)
    const open = async (bytes: Buffer) => {
      await writeFile(path, bytes)
      await expectRead(path)
    }
    const original = Buffer.from(content)
    await open(original)
    // A thread reads each Parquet file.
    const runs = name.endsWith('.parquet') ? counted(24, RUNS) : RUNS
    const { opened, refused } = await attack(original, open, runs)
    // Damage within a text is another text; damage to the frame is refused.
    expect([opened > 0, refused > 0]).toEqual([true, true])
  })

  test('chats with their values exchanged', async () => {
    const path = join(folder, 'exchanged.json')
    const open = async (bytes: Buffer) => {
      await writeFile(path, bytes)
      await expectRead(path)
    }
    const { opened, refused } = await attackValues(Buffer.from(JSON.stringify(CHATS)), open)
    expect([opened > 0, refused > 0]).toEqual([true, true])
  })
})
