/** @file The windows of a long text: each token predicted once, in lm-evaluation-harness's windows, whatever the pieces. */
import { describe, expect, test } from 'vitest'
import { tokensOf, windowsOf } from '../../../evals/inference/rolling.ts'
import { fc } from '../../doubles/properties.ts'

async function* from<T>(items: readonly T[]): AsyncGenerator<T> {
  for (const item of items) yield item
}
const all = async <T>(items: AsyncIterable<T>) => {
  const found: T[] = []
  for await (const item of items) found.push(item)
  return found
}

describe('windows', () => {
  test('of three tokens over eight: the last one is filled up with what comes before', async () => {
    const windows = await all(
      windowsOf(
        from([
          [1, 2, 3, 4],
          [5, 6, 7, 8],
        ]),
        0,
        3,
      ),
    )
    expect(windows.map(({ ids, from: at }) => [ids, at])).toEqual([
      [[0, 1, 2, 3], 1],
      [[3, 4, 5, 6], 1],
      [[5, 6, 7, 8], 2],
    ])
  })

  test('predict every token once, in order, and are never longer than the model takes and a label', async () => {
    const tokens = fc.array(fc.array(fc.integer({ min: 1, max: 99 })), { maxLength: 9 })
    await fc.assert(
      fc.asyncProperty(tokens, fc.integer({ min: 2, max: 7 }), async (chunks, size) => {
        const windows = await all(windowsOf(from(chunks), 0, size))
        expect(windows.flatMap(({ ids, from: at }) => ids.slice(at))).toEqual(chunks.flat())
        for (const [i, { ids }] of windows.entries()) {
          expect(ids.length).toBeLessThanOrEqual(size + 1)
          if (i > 0) expect(ids).toHaveLength(size + 1)
        }
      }),
    )
  })
})

describe('tokens', () => {
  /** A token a word or mark, with the space before it, as byte-level tokenizers have it. */
  const encode = (text: string) =>
    (text.match(/ ?\w+|\s*\n|\s+|[^\w\s]+/g) ?? []).map((token) =>
      [...token].reduce((sum, letter) => (sum * 31 + letter.charCodeAt(0)) % 65521, 7),
    )
  const line = fc.constantFrom('a room\n', ' b\n', '\n', 'c.\n', 'd', ' \n', 'key 7\n')

  test('are those of the whole text, wherever it is cut into pieces', async () => {
    await fc.assert(
      fc.asyncProperty(fc.array(line), fc.integer({ min: 1, max: 9 }), async (lines, size) => {
        const text = lines.join('')
        const pieces = text.match(new RegExp(`[^]{1,${size}}`, 'g')) ?? []
        expect((await all(tokensOf(from(pieces), { encode }))).flat()).toEqual(encode(text))
      }),
    )
  })

  test('begin with what the tokenizer puts first, and are given in several parts', async () => {
    const pieces = Array.from({ length: 5 }, (_, i) => `room ${i}\nkey`)
    const parts = await all(tokensOf(from(pieces), { encode, prefixIds: [9] }))
    expect(parts[0]).toEqual([9])
    expect(parts.length).toBeGreaterThan(4)
  })

  test('of a tokenizer that marks beginnings are taken from the whole text, up to a limit', async () => {
    const marked = (text: string) => [1, ...encode(text)]
    const pieces = ['room 1\nroom ', '2\nroom 3']
    expect((await all(tokensOf(from(pieces), { encode: marked }))).flat()).toEqual(
      marked(pieces.join('')),
    )
    await expect(all(tokensOf(from(pieces), { encode: marked }, 10))).rejects.toMatchObject({
      code: 'benchmark.unreadable',
    })
  })
})
