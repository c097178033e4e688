/** @file Tokenizers: what cannot be read exactly is refused by name, and where replies end. */
import { describe, expect, test } from 'vitest'
import type { JsonObject } from '../../../../evals/files/read-file.ts'
import { idList, openTokenizer, specialTokens } from '../../../../evals/models/text/tokenizer.ts'

const special = (content: string, id: number, change: JsonObject = {}) => ({
  content,
  id,
  special: true,
  ...change,
})
const words = (change: JsonObject = {}): JsonObject => ({
  added_tokens: [special('<|im_end|>', 1), special('<s>', 2)],
  pre_tokenizer: { type: 'Whitespace' },
  model: {
    type: 'WordLevel',
    vocab: { '<unk>': 0, '<|im_end|>': 1, '<s>': 2, pool: 7 },
    unk_token: '<unk>',
  },
  ...change,
})
const open = (tokenizerJson: JsonObject, tokenizerConfig: JsonObject = {}, eosIds: number[] = []) =>
  openTokenizer({ path: 'tokenizer.json', tokenizerJson, tokenizerConfig, eosIds })

const TEXT = { Sequence: { id: 'A', type_id: 0 } }
const around = (single: readonly object[], named: JsonObject = {}): JsonObject => ({
  type: 'TemplateProcessing',
  single,
  special_tokens: named,
})

describe('refused by name', () => {
  const split = (behavior: string, invert = false) => ({
    pre_tokenizer: { type: 'Split', pattern: { Regex: ' ' }, behavior, invert },
  })
  test.each<[string, JsonObject]>([
    ['SentencePiece’s tables', { normalizer: { type: 'Precompiled', precompiled_charsmap: '' } }],
    ['an unknown splitter', { pre_tokenizer: { type: 'UnicodeScripts' } }],
    [
      'one inside a sequence',
      { pre_tokenizer: { type: 'Sequence', pretokenizers: [{ type: 'X' }] } },
    ],
    ['pieces of length nothing', { pre_tokenizer: { type: 'FixedLength', length: 0 } }],
    ['a split that joins to the right', split('MergedWithNext')],
    ['a split turned round and kept', split('Isolated', true)],
    [
      'a broken pattern',
      { pre_tokenizer: { type: 'Split', pattern: { Regex: '(' }, behavior: 'Removed' } },
    ],
    ['two tokens with one id', { added_tokens: [special('x', 7)] }],
    ['an id of four billion', { added_tokens: [special('x', 2 ** 32)] }],
    ['an empty token', { added_tokens: [special('', 8)] }],
    ['no unknown token', { model: { type: 'WordLevel', vocab: { a: 0 } } }],
    [
      'an unknown token that is none',
      { model: { type: 'WordLevel', vocab: { a: 0 }, unk_token: 'u' } },
    ],
    ['a random BPE', { model: { type: 'BPE', vocab: { a: 0 }, merges: [], dropout: 0.1 } }],
    ['no model', { model: null }],
    ['something unknown around a text', { post_processor: { type: 'Wrapping' } }],
    [
      'a token around a text that is nowhere named',
      { post_processor: around([{ SpecialToken: { id: '<s>' } }, TEXT]) },
    ],
    ['nowhere to put a text', { post_processor: around([]) }],
  ])('%s', (_, change) => {
    expect(() => open(words(change))).toThrowError(
      expect.objectContaining({ code: 'tokenizer.unsupported' }),
    )
  })
})

test('what stands around a text, of several the last outermost', () => {
  const start = { id: '<s>', ids: [2], tokens: ['<s>'] }
  const first = around([{ SpecialToken: { id: '<s>', type_id: 0 } }, TEXT], { '<s>': start })
  const bert = { type: 'BertProcessing', sep: ['<|im_end|>', 1], cls: ['pool', 7] }
  const post_processor = { type: 'Sequence', processors: [{ type: 'ByteLevel' }, first, bert] }
  const { prefixIds, suffixIds } = open(words({ post_processor }))
  expect([prefixIds, suffixIds]).toEqual([[7, 2], [1]])
  expect(open(words()).prefixIds).toEqual([])
})

describe('ids', () => {
  test('that end a reply: eos of every source, then special end-of-turn tokens, each once', () => {
    expect(open(words(), { eos_token: { content: '<s>' } }, [7, 2]).endIds).toEqual([7, 2, 1])
    const ordinary = words({ added_tokens: [special('<s>', 2)] })
    expect(open(ordinary, { eos_token: '<s>' }).endIds).toEqual([2])
    expect(open(words(), {}, [99]).endIds).toEqual([1])
  })

  test('are counted up to the largest, and padding falls back on the end', () => {
    expect(open(words()).vocabSize).toBe(8)
    expect(open(words()).padId).toBe(1)
    expect(open(words(), { pad_token: '<s>' }).padId).toBe(2)
  })

  test('come back as text without special tokens and without what is no token', () => {
    const tokenizer = open(words())
    expect(tokenizer.encode('pool<|im_end|>pool')).toEqual([7, 1, 7])
    expect(tokenizer.decode([2, 7, 1, 7, 5000])).toBe('pool pool')
    expect(tokenizer.decode([])).toBe('')
    expect(tokenizer.encode('')).toEqual([])
  })

  test('have a digest that follows vocabulary and end', () => {
    const digest = open(words()).digest
    expect(open(words()).digest).toBe(digest)
    expect(open(words(), {}, [7]).digest).not.toBe(digest)
    expect(open(words({ pre_tokenizer: null })).digest).not.toBe(digest)
  })
})

test('ids in configurations are numbers or lists of them', () => {
  expect(idList([1, '2', -1, 3])).toEqual([1, 3])
  expect(idList(0)).toEqual([0])
  expect(idList(null)).toEqual([])
  expect(specialTokens({ bos_token: 'a', eos_token: { content: 'b' }, pad_token: null })).toEqual({
    bos_token: 'a',
    eos_token: 'b',
  })
})
