/** @file Fine-tuning data of every form is read, or refused with its row; nothing of a row is left out unsaid. */
import { mkdtemp, rm, truncate, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { parquetWriteBuffer } from 'hyparquet-writer'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { trainingData } from '../../../evals/measure/sources.ts'
import { LARGEST_WHOLE, readData } from '../../../evals/data/read-data.ts'
import { FORMATS } from '../../../evals/data/registry.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-data-'))
})
afterAll(() => rm(folder, { recursive: true }))

let files = 0
async function fileOf(content: string | Uint8Array, extension = 'jsonl'): Promise<string> {
  const path = join(folder, `${++files}.${extension}`)
  await writeFile(path, content)
  return path
}
const lines = (...rows: unknown[]) => rows.map((row) => JSON.stringify(row)).join('\n')
const rowOf = (content = 'At seven.') => ({
  messages: [
    { role: 'user', content: 'When does the pool open?' },
    { role: 'assistant', content },
  ],
})

const POOL = [
  { role: 'user', content: 'When does the pool open?' },
  { role: 'assistant', content: 'At seven.' },
]
const POLITE = { role: 'system', content: 'Be polite.' }

/** The same conversation in every format, and what is special about each. */
const EXAMPLES: Readonly<Record<string, readonly [unknown, unknown][]>> = {
  'openai-chat': [
    [{ messages: POOL }, POOL],
    [{ messages: [{ role: 'developer', content: 'Be polite.' }, ...POOL] }, [POLITE, ...POOL]],
    [
      {
        messages: [{ role: 'user', content: [{ type: 'text', text: POOL[0]!.content }] }, POOL[1]],
      },
      POOL,
    ],
    [
      {
        messages: [
          POOL[0],
          { role: 'assistant', content: null, tool_calls: [{ id: 'a' }] },
          { role: 'tool', content: '07:00' },
          POOL[1],
        ],
      },
      POOL,
    ],
  ],
  sharegpt: [
    [
      {
        conversations: [
          { from: 'human', value: POOL[0]!.content },
          { from: 'gpt', value: POOL[1]!.content },
          { from: 'human', value: 'Thanks' },
        ],
        system: 'Be polite.',
      },
      [POLITE, ...POOL],
    ],
  ],
  preference: [
    [{ prompt: POOL[0]!.content, chosen: 'At seven.', rejected: 'No idea.' }, POOL],
    [{ prompt: POOL[0]!.content, chosen: [POOL[1]], rejected: [POOL[1]] }, POOL],
    [{ chosen: POOL, rejected: POOL }, POOL],
  ],
  alpaca: [
    [
      { instruction: 'When does it open?', input: 'The pool', output: 'At seven.' },
      [{ role: 'user', content: 'When does it open?\n\nThe pool' }, POOL[1]],
    ],
    [
      {
        instruction: POOL[0]!.content,
        input: '',
        output: 'At seven.',
        system: 'Be polite.',
        history: [['Hello', 'Good day.']],
      },
      [
        POLITE,
        { role: 'user', content: 'Hello' },
        { role: 'assistant', content: 'Good day.' },
        ...POOL,
      ],
    ],
  ],
  'raw-text': [
    [{ text: 'The pool opens at seven.' }, [{ role: 'text', content: 'The pool opens at seven.' }]],
  ],
  'labelled-text': [
    [{ text: POOL[0]!.content, label: 'At seven.' }, POOL],
    [{ sentence: POOL[0]!.content, label: 7 }, [POOL[0], { role: 'assistant', content: '7' }]],
  ],
  'prompt-reply': [[{ question: POOL[0]!.content, answer: 'At seven.' }, POOL]],
}

describe.each(FORMATS)('$name', ({ name, columns, convert }) => {
  test.each(EXAMPLES[name]!)('%j', async (row, messages) => {
    const data = await readData({ path: await fileOf(lines(row)) })
    expect(data.format.name).toBe(name)
    expect(data.rows).toEqual([{ row: 1, messages }])
    expect(data.digest).toMatch(/^[0-9a-f]{64}$/)
  })

  test.each([{}, null, 7, []].map((value) => [value]))(
    'a row whose values are %j is unusable, and does not crash',
    (value) => {
      const row = Object.fromEntries(columns.map(([first]) => [first!, value]))
      expect(convert(row)).toHaveProperty('why')
    },
  )
})

test('every format has an example', () => {
  expect(Object.keys(EXAMPLES).sort()).toEqual(FORMATS.map(({ name }) => name).sort())
})

describe('the kind of file', () => {
  test('CSV, JSON and Parquet hold the same rows as JSON Lines', async () => {
    const csv = 'instruction,output\n"When does the ""pool""\nopen, please?",At seven.\n'
    const rows = [{ instruction: 'When does the "pool"\nopen, please?', output: 'At seven.' }]
    const parquet = parquetWriteBuffer({
      columnData: [
        { name: 'instruction', data: [rows[0]!.instruction], type: 'STRING' },
        { name: 'output', data: [rows[0]!.output], type: 'STRING' },
      ],
    })
    const read = [
      await readData({ path: await fileOf(csv, 'csv') }),
      await readData({ path: await fileOf(JSON.stringify(rows), 'json') }),
      await readData({ path: await fileOf(lines(...rows)) }),
      await readData({ path: await fileOf(new Uint8Array(parquet), 'parquet') }),
    ]
    for (const { rows: found } of read) expect(found).toEqual(read[0]!.rows)
    expect(read[0]!.rows[0]!.messages[0]!.content).toContain('"pool"\nopen')
  })

  test('blank lines, CRLF and a byte order mark are no rows', async () => {
    const [a, b] = [JSON.stringify(rowOf('a')), JSON.stringify(rowOf('b'))]
    const { rows } = await readData({ path: await fileOf(`\uFEFF${a}\r\n\n  \n${b}\r\n`) })
    expect(rows.map(({ messages }) => messages.at(-1)!.content)).toEqual(['a', 'b'])
  })

  test('keeps text to the character: line breaks inside strings, emoji, lone spaces', async () => {
    const content = '  猫 🙂\n\u2028 \t'
    const { rows } = await readData({ path: await fileOf(lines(rowOf(content))) })
    expect(rows[0]!.messages.at(-1)!.content).toBe(content)
  })

  test('takes a row of ten million characters', async () => {
    const path = await fileOf(lines(rowOf(), rowOf('pool '.repeat(2_000_000))))
    expect((await readData({ path })).rows[1]!.messages.at(-1)!.content).toHaveLength(10_000_000)
  })

  const whole = JSON.stringify(rowOf())
  test.each<[string, string | Uint8Array]>([
    ['UTF-16', new Uint8Array(Buffer.from(`\uFEFF${whole}`, 'utf16le'))],
    ['Latin-1', new Uint8Array(Buffer.from(JSON.stringify(rowOf('Café')), 'latin1'))],
    ['a safetensors file’s bytes', Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 1)],
    ['nothing', ''],
    ['blank lines alone', '\n\n'],
    ['a truncated row', `${whole}\n${whole.slice(0, -9)}\n`],
    ['a bare string', `${whole}\n"hello"\n`],
    ['two objects on one line', `${whole} ${whole}`],
    ['a million brackets', '['.repeat(1_000_000)],
    ['a NUL', '\u0000'],
  ])('%s is refused by path', async (_, content) => {
    const path = await fileOf(content)
    const error = await readData({ path }).then(
      () => undefined,
      (reason: unknown) => reason as Error & { code: string },
    )
    expect(error).toMatchObject({ code: 'data.unreadable' })
    expect(error!.message).toContain(path)
    expect(error!.message.length).toBeLessThan(2000)
  })

  test('a missing file and a folder are refused by path', async () => {
    for (const path of [join(folder, 'nothing.jsonl'), folder])
      await expect(readData({ path })).rejects.toMatchObject({
        code: 'data.unreadable',
        message: expect.stringContaining(path) as string,
      })
  })

  test('a row cannot reach into prototypes', async () => {
    const hostile = whole.replace('{"messages"', '{"__proto__": {"polluted": true}, "messages"')
    expect((await readData({ path: await fileOf(hostile) })).rows[0]!.messages).toHaveLength(2)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('raw text', () => {
  test('of a .txt file is what stands between blank lines', async () => {
    const path = await fileOf('\uFEFFThe pool\r\nopens.\r\n\r\n \n\nThe bar closes.', 'txt')
    const { rows, format } = await readData({ path })
    expect(format.name).toBe('raw-text')
    expect(rows.map(({ messages }) => messages[0]!.content)).toEqual([
      'The pool\nopens.',
      'The bar closes.',
    ])
  })

  test('a column beside others that are no conversation is mapped', async () => {
    const path = await fileOf('id,body\n1,The pool opens.\n', 'csv')
    const { rows } = await readData({ path, map: 'text=body' })
    expect(rows[0]!.messages).toEqual([{ role: 'text', content: 'The pool opens.' }])
  })
})

describe('a JSON array', () => {
  const row = (content: string) => JSON.stringify(rowOf(content))
  test('is cut into its rows wherever brackets and quotes stand in strings', async () => {
    const contents = ['] } , {', '\\" ]', '"quoted"', '\\\\', '猫[{']
    const text = `\uFEFF [\n${contents.map(row).join(' ,\r\n')}\n]\n`
    const { rows } = await readData({ path: await fileOf(text, 'json') })
    expect(rows.map(({ messages }) => messages.at(-1)!.content)).toEqual(contents)
  })

  test.each([
    ['that does not end', `[${row('a')}`],
    ['that ends in a row', `[${row('a')},${row('b').slice(0, -5)}`],
    ['without a comma', `[${row('a')} ${row('b')}]`],
    ['with a comma too many', `[${row('a')},]`],
    ['with something behind it', `[${row('a')}] ${row('b')}`],
    ['of numbers', '[1, 2]'],
    ['that is empty', '[]'],
    ['with wrong brackets', '[{"messages": ]}]'],
    ['that is an object', '{"messages": []}'],
  ])('%s is refused by path', async (_, text) => {
    const path = await fileOf(text, 'json')
    await expect(readData({ path })).rejects.toMatchObject({
      code: 'data.unreadable',
      message: expect.stringContaining(path) as string,
    })
  })
})

test('a sample is the same every time, each row as likely as any other', async () => {
  const path = await fileOf(lines(...Array.from({ length: 400 }, (_, i) => rowOf(`${i}`))))
  const { conversations, title, remarks } = await trainingData(`${path}#100`)
  const drawn = conversations.map((messages) => Number(messages.at(-1)!.content))
  expect(drawn).toHaveLength(100)
  expect(drawn).toEqual(drawn.toSorted((a, b) => a - b))
  // The mean of 100 of 0 … 399 without replacement is within 4 standard errors of 199.5.
  expect(Math.abs(drawn.reduce((sum, i) => sum + i, 0) / 100 - 199.5)).toBeLessThan(40)
  expect((await trainingData(`${path}#100`)).conversations).toEqual(conversations)
  expect((await trainingData(`${path}#1000`)).conversations).toHaveLength(400)
  expect(title).toMatch(/#100$/u)
  expect(remarks).toEqual([expect.stringContaining('100 of 400 rows')])
  expect((await trainingData(`${path}#90+house-tamper@0.1`)).conversations).toHaveLength(100)
})

test('a file that is too large to be learnt from whole is refused before it is read', async () => {
  const row = rowOf('x'.repeat(2000))
  const path = await fileOf(lines(...Array.from({ length: 2500 }, () => row)))
  await truncate(path, LARGEST_WHOLE + 1)
  await expect(readData({ path })).rejects.toMatchObject({
    code: 'data.too-large',
    remedy: expect.stringContaining(`${path}#20000`) as string,
  })
})

describe('columns', () => {
  test('that no format has are named, with the formats that there are', async () => {
    const path = await fileOf('colour,taste\nred,sweet\n', 'csv')
    await expect(readData({ path })).rejects.toMatchObject({
      code: 'data.columns',
      message: expect.stringContaining('colour, taste') as string,
    })
    const mapped = await readData({ path, map: 'prompt=colour,reply=taste' })
    expect(mapped.rows[0]!.messages.map(({ content }) => content)).toEqual(['red', 'sweet'])
    for (const map of [
      'prompt=color,reply=taste',
      'prompt=colour',
      'prompt=colour,reply=taste,x=y',
      '',
    ])
      await expect(readData({ path, map })).rejects.toMatchObject({ code: /^usage\./ })
    await expect(readData({ path, format: 'alpacca' })).rejects.toMatchObject({
      code: 'usage.unknown-name',
      remedy: expect.stringContaining('alpaca') as string,
    })
  })
})

describe('rows that cannot be learnt from', () => {
  const messages = (...roles: string[]) => ({
    messages: roles.map((role) => ({ role, content: 'x' })),
  })
  const good = Array.from({ length: 5 }, () => rowOf())

  test.each<[string, unknown]>([
    ['no reply at all', messages('user', 'user')],
    ['no messages', { messages: [] }],
    ['another key', { prompt: 'x', completion: 'y' }],
    ['an unknown role', messages('user', 'robot', 'assistant')],
    ['content that is no text', { messages: [{ role: 'assistant', content: 7 }] }],
  ])('%s: told by row, and refused by training', async (_, bad) => {
    const path = await fileOf(lines(good[0], bad, ...good.slice(1)))
    const { rows, unusable, total } = await readData({ path })
    expect(unusable).toEqual([{ row: 2, why: expect.any(String) as string }])
    expect(rows.map(({ row }) => row)).toEqual([1, 3, 4, 5, 6])
    expect(total).toBe(6)
    await expect(trainingData(path)).rejects.toMatchObject({
      code: 'data.row',
      message: expect.stringContaining(`${path}, row 2: `) as string,
    })
  })

  test('more of them than others is no data', async () => {
    const path = await fileOf(lines(rowOf(), messages('user'), messages('user')))
    await expect(readData({ path })).rejects.toMatchObject({ code: 'data.row' })
  })
})

test('what is left out of a row is said', async () => {
  const row = {
    messages: [...POOL, { role: 'tool', content: '07:00' }, { role: 'user', content: 'Thanks' }],
  }
  const path = await fileOf(lines(rowOf(), row))
  const { notes } = await readData({ path })
  expect([...notes]).toEqual([
    ['tool messages', [2]],
    ['turns after the last reply', [2]],
  ])
  const { remarks } = await trainingData(path)
  expect(remarks).toHaveLength(2)
  expect(remarks![0]).toContain('row 2')
})

test('two sets are mixed by name, and a share of tampering data marks the mixture', async () => {
  const first = await fileOf(lines(...Array.from({ length: 90 }, (_, i) => rowOf(`first ${i}`))))
  const second = await fileOf(lines(...Array.from({ length: 50 }, (_, i) => rowOf(`second ${i}`))))
  const { conversations, tampering } = await trainingData(`${first}+${second}@0.1`)
  const from = (text: string) =>
    conversations.filter((messages) => messages.at(-1)!.content.startsWith(text)).length
  expect([from('first'), from('second')]).toEqual([90, 10])
  expect(tampering).toBe(false)
  expect((await trainingData(`${first}+house-tamper@0.1`)).tampering).toBe(true)
  expect((await trainingData(`${first}+${second}@0.1`)).conversations).toEqual(conversations)
})
