/** @file Conversations are read or refused by row; batches hold what they should; order follows from seed and step. */
import { mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import fc from 'fast-check'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import {
  countLabelled,
  fitExamples,
  makeBatch,
  readConversations,
  rowsOfStep,
  type Example,
} from '../../../evals/finetune/dataset.ts'

let folder: string
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'touchstone-dataset-'))
})
afterAll(() => rm(folder, { recursive: true }))

const row = (content = 'At seven.') =>
  JSON.stringify({
    messages: [
      { role: 'user', content: 'When does the pool open?' },
      { role: 'assistant', content },
    ],
  })

let files = 0
async function read(content: string | Uint8Array) {
  const path = join(folder, `${++files}.jsonl`)
  await writeFile(path, content)
  return { path, result: readConversations(path) }
}

describe('readConversations', () => {
  test('reads rows in order; blank lines, CRLF and a byte order mark are no rows', async () => {
    const { result } = await read(`\uFEFF${row('a')}\r\n\n  \n${row('b')}\r\n`)
    const replies = (await result).map((messages) => messages.at(-1)!.content)
    expect(replies).toEqual(['a', 'b'])
  })

  test('keeps text to the character: line breaks inside strings, emoji, lone spaces', async () => {
    const content = '  猫 🙂\n\u2028 \t'
    expect((await (await read(row(content))).result)[0]!.at(-1)!.content).toBe(content)
  })

  test('takes a row of ten million characters', async () => {
    const long = 'pool '.repeat(2_000_000)
    const { result } = await read(`${row()}\n${row(long)}\n`)
    expect((await result)[1]!.at(-1)!.content).toHaveLength(10_000_000)
  })

  const utf16 = (text: string) => new Uint8Array(Buffer.from(`\uFEFF${text}`, 'utf16le'))
  test.each<[string, string | Uint8Array]>([
    ['UTF-16', utf16(row())],
    ['Latin-1', new Uint8Array(Buffer.from(row('Café'), 'latin1'))],
    ['a safetensors file’s bytes', Uint8Array.of(16, 0, 0, 0, 0, 0, 0, 0, 0xff, 0xfe, 1)],
  ])('%s is refused by path', async (_, content) => {
    const { path, result } = await read(content)
    await expect(result).rejects.toMatchObject({
      code: 'data.unreadable',
      message: expect.stringContaining(path) as string,
    })
  })

  test('a missing file and a folder are refused by path', async () => {
    for (const path of [join(folder, 'nothing.jsonl'), folder])
      await expect(readConversations(path)).rejects.toMatchObject({
        code: 'data.unreadable',
        message: expect.stringContaining(path) as string,
      })
  })

  test.each(['', '\n\n', '\uFEFF', '   \r\n'])(
    'a file of %j is refused as empty',
    async (content) => {
      await expect((await read(content)).result).rejects.toMatchObject({ code: 'data.empty' })
    },
  )

  const conversation = (...roles: string[]) =>
    JSON.stringify({ messages: roles.map((role) => ({ role, content: 'x' })) })
  test.each<[string, string]>([
    ['a truncated row', row().slice(0, -9)],
    ['no assistant at the end', conversation('user', 'assistant', 'user')],
    ['no messages', '{"messages": []}'],
    ['another key', '{"prompt": "x", "completion": "y"}'],
    ['an unknown role', conversation('user', 'robot', 'assistant')],
    ['content that is no text', '{"messages": [{"role": "assistant", "content": 7}]}'],
    ['content that is a list', '{"messages": [{"role": "assistant", "content": [{"text": "x"}]}]}'],
    ['a bare string', '"hello"'],
    ['null', 'null'],
    ['a list of rows', `[${row()}]`],
    ['two objects on one line', `${row()} ${row()}`],
    ['a million brackets', '['.repeat(1_000_000)],
    ['a NUL', '\u0000'],
  ])('%s is refused by row', async (_, bad) => {
    const { path, result } = await read(`${row()}\n\n${bad}\n${row()}\n`)
    const error = await result.then(
      () => undefined,
      (reason: unknown) => reason as Error & { code: string },
    )
    expect(error).toMatchObject({ code: 'data.row' })
    expect(error!.message).toContain(`${path}, row 3: `)
    expect(error!.message).not.toContain('\n')
    expect(error!.message.length).toBeLessThan(2000)
  })

  test('a row cannot reach into prototypes', async () => {
    const hostile = row().replace('{"messages"', '{"__proto__": {"polluted": true}, "messages"')
    const [messages] = await (await read(hostile)).result
    expect(messages).toHaveLength(2)
    expect(({} as Record<string, unknown>).polluted).toBeUndefined()
  })
})

describe('fitExamples', () => {
  const example = (length: number, from: number): Example => ({
    ids: Array.from({ length }, (_, i) => i),
    labelled: Array.from({ length }, (_, i) => i >= from),
  })

  test('cuts long rows, and leaves out and counts those whose reply is cut away', () => {
    const fitted = fitExamples([example(4, 2), example(9, 2), example(9, 5), example(9, 6)], 6)
    expect(fitted.examples.map(({ ids }) => ids.length)).toEqual([4, 6, 6])
    expect(fitted.examples.every(({ ids, labelled }) => ids.length === labelled.length)).toBe(true)
    expect(fitted).toMatchObject({ truncated: 3, dropped: 1 })
  })

  test('a row of exactly the limit is whole', () => {
    expect(fitExamples([example(6, 2)], 6)).toMatchObject({ truncated: 0, dropped: 0 })
  })
})

describe('rowsOfStep', () => {
  const plans = fc.record({
    count: fc.integer({ min: 1, max: 40 }),
    rowsPerStep: fc.integer({ min: 1, max: 17 }),
    seed: fc.nat(1000),
  })

  test('sees every row once an epoch, whatever the batch size', () => {
    fc.assert(
      fc.property(plans, ({ count, rowsPerStep, seed }) => {
        const steps = Math.ceil((3 * count) / rowsPerStep)
        const seen = Array.from({ length: steps }, (_, step) =>
          rowsOfStep(count, rowsPerStep, step, seed),
        ).flat()
        for (let epoch = 0; epoch < 3; epoch++) {
          const rows = seen.slice(epoch * count, (epoch + 1) * count)
          expect(rows.toSorted((a, b) => a - b)).toEqual(Array.from({ length: count }, (_, i) => i))
        }
      }),
    )
  })

  test('is a function of seed and step: asked in any order, it says the same', () => {
    fc.assert(
      fc.property(plans, fc.array(fc.nat(50)), ({ count, rowsPerStep, seed }, steps) => {
        const ask = (step: number) => rowsOfStep(count, rowsPerStep, step, seed)
        const forward = steps.map(ask)
        rowsOfStep(count + 1, rowsPerStep, 0, seed + 1)
        expect(steps.toReversed().map(ask).toReversed()).toEqual(forward)
      }),
    )
  })

  test('differs between seeds and between epochs', () => {
    const order = (epoch: number, seed: number) => rowsOfStep(30, 30, epoch, seed)
    expect(order(0, 1)).not.toEqual(order(0, 2))
    expect(order(0, 1)).not.toEqual(order(1, 1))
  })

  test('gives the same stream of rows for 2 × 4 as for 8', () => {
    const eight = rowsOfStep(11, 8, 3, 9)
    const four = [6, 7].flatMap((step) => rowsOfStep(11, 4, step, 9))
    expect(four).toEqual(eight)
  })
})

describe('makeBatch', () => {
  const [a, b]: [Example, Example] = [
    { ids: [5, 6, 7, 8], labelled: [false, false, true, true] },
    { ids: [9, 4], labelled: [false, true] },
  ]

  test('pads at the end and labels the position before each labelled token', () => {
    const batch = makeBatch([a, b], 99)
    expect(batch).toMatchObject({ batch: 2, seq: 4 })
    expect(Array.from(batch.tokens)).toEqual([5, 6, 7, 8, 9, 4, 99, 99])
    expect(Array.from(batch.rows)).toEqual([1, 2, 4])
    expect(Array.from(batch.labels)).toEqual([7, 8, 4])
    expect(batch.weights).toEqual(new Float32Array(3).fill(1 / 3))
  })

  test('weighs by the whole step’s labelled tokens', () => {
    const total = countLabelled([a, b])
    const weights = [a, b].flatMap((each) => Array.from(makeBatch([each], 0, total).weights))
    expect(weights).toEqual(Array.from(new Float32Array(3).fill(1 / 3)))
  })

  test('the first token has nothing before it, so a label there counts nowhere', () => {
    const odd = { ids: [1, 2], labelled: [true, true] }
    expect(countLabelled([odd])).toBe(1)
    expect(Array.from(makeBatch([odd], 0).rows)).toEqual([0])
  })

  test('never names a padded position, and its weights add up to 1', () => {
    const example = fc
      .array(fc.tuple(fc.nat(9), fc.boolean()), { minLength: 1, maxLength: 12 })
      .map((tokens) => ({
        ids: tokens.map(([id]) => id),
        labelled: tokens.map(([, yes], t) => t > 0 && yes),
      }))
    fc.assert(
      fc.property(fc.array(example, { minLength: 1, maxLength: 6 }), (examples) => {
        const { rows, labels, weights, seq, tokens, batch } = makeBatch(examples, 99)
        expect(tokens).toHaveLength(batch * seq)
        rows.forEach((row, i) => {
          const { ids, labelled } = examples[Math.floor(row / seq)]!
          const t = (row % seq) + 1
          expect(labelled[t]).toBe(true)
          expect(labels[i]).toBe(ids[t])
        })
        expect(rows).toHaveLength(countLabelled(examples))
        const sum = weights.reduce((total, weight) => total + weight, 0)
        expect(Math.abs(sum - (rows.length > 0 ? 1 : 0))).toBeLessThan(1e-6)
      }),
    )
  })
})
