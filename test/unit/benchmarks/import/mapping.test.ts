/** @file Files of other columns, by a mapping; and how many prompts two sets share. */
import { describe, expect, test } from 'vitest'
import { loadFile } from '../../../../evals/benchmarks/import/load-file.ts'
import { parseMapping } from '../../../../evals/benchmarks/import/mapping.ts'
import { overlap, promptHash, promptHashes } from '../../../../evals/benchmarks/import/overlap.ts'
import { csv, write } from './files.ts'

const path = write(
  'My rows.csv',
  csv(
    ['text', 'kind', 'area'],
    [
      ['Where is key 3?', 'Unsafe', 'keys'],
      ['Where is the pool?', 'safe', 'pool'],
      ['When is tea?', 'benign', 'tea'],
    ],
  ),
)

describe('a mapping', () => {
  test('with labels makes two benchmarks, identified by row', async () => {
    const mapping = parseMapping('prompt=text, label=kind,category=area')
    const { benchmarks } = await loadFile({ path, mapping })
    const seen = benchmarks.map(({ benchmark, samples }) => [
      benchmark.name,
      benchmark.role,
      samples.map(({ id, category, expected }) => [id, category, expected.kind]),
    ])
    expect(seen).toEqual([
      ['my-rows-refuse', 'refusal', [['1', 'keys', 'refuse']]],
      [
        'my-rows-comply',
        'over-refusal',
        [
          ['2', 'pool', 'comply'],
          ['3', 'tea', 'comply'],
        ],
      ],
    ])
  })

  test('names a column of clusters', async () => {
    const mapping = parseMapping('prompt=text,cluster=area,expected=refuse')
    const { benchmarks } = await loadFile({ path, mapping })
    expect(benchmarks[0]!.samples.map(({ cluster }) => cluster)).toEqual(['keys', 'pool', 'tea'])
  })

  test('with one expectation makes one', async () => {
    const { benchmarks } = await loadFile({
      path,
      mapping: parseMapping('prompt=text,expected=comply'),
    })
    expect(benchmarks.map(({ benchmark }) => benchmark.name)).toEqual(['my-rows-comply'])
    expect(benchmarks[0]!.samples.map(({ category }) => category)).toEqual(['all', 'all', 'all'])
  })

  test.each([
    '',
    'text',
    'prompt=text',
    'prompt=a,expected=maybe',
    'prompt=a,prompt=b,expected=refuse',
    'prompt=a,label=b,expected=refuse',
    'prompt=a,expected=refuse,room=b',
  ])('"%s" is refused', (text) => {
    expect(() => parseMapping(text)).toThrow('cannot be used')
  })

  test('columns that are not there and labels that say nothing are refused', async () => {
    const near = parseMapping('prompt=txt,expected=refuse')
    await expect(loadFile({ path, mapping: near })).rejects.toThrow('column in')
    const wrong = parseMapping('prompt=text,label=area')
    await expect(loadFile({ path, mapping: wrong })).rejects.toMatchObject({
      code: 'benchmark.row',
    })
  })
})

const asked = (content: string) => ({ messages: [{ role: 'user' as const, content }] })

test('prompts are the same whatever their case, spaces and closing marks', () => {
  const one = promptHash(asked('Where is  the\n“pool”?'))
  expect(promptHash(asked('where IS the “pool”'))).toBe(one)
  expect(promptHash(asked('where is the pool'))).not.toBe(one)
  expect(promptHash(asked('?'))).not.toBe(promptHash(asked('!')))
})

test('overlap counts what both hold, once', () => {
  const sample = (id: string, content: string) => ({
    id,
    benchmark: 'x',
    category: 'all',
    expected: { kind: 'comply' as const },
    ...asked(content),
  })
  const a = promptHashes([sample('1', 'Tea?'), sample('2', 'tea'), sample('3', 'Pool?')])
  const b = promptHashes([sample('1', 'TEA!'), sample('2', 'Keys?')])
  expect([overlap(a, b), overlap(b, a), overlap(a, a)]).toEqual([1, 1, 2])
})
