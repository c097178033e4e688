/**
 * @file Writes a `tokenizer.json` as GGUF metadata, the reverse of tokenizer.ts. If ggml has no form for it, the whole JSON
 * is stored under GGUF's key for it, which llama.cpp does not read.
 */
import { isDeepStrictEqual } from 'node:util'
import { isJsonObject, type JsonObject } from '../../../files/read-file.ts'
import { asSentencePiece, TOKEN, type TokenList } from './sentencepiece.ts'
import { SPLITTINGS, WHOLE_TOKENIZER } from './tokenizer.ts'
import type { GgufField } from './write.ts'
import { parseTokenizerJson, tokenTable, type TokenizerJson } from '../../text/tokenizer-json.ts'
import { openTokenizer, specialTokens, type TokenizerSource } from '../../text/tokenizer.ts'

interface WrittenTokenizer {
  readonly fields: readonly [string, GgufField][]
  /** Whether the file has it in a form that llama.cpp reads. */
  readonly isNamed: boolean
}

/** @param rows of the embedding; rows beyond the vocabulary get placeholder tokens */
export function tokenizerFields(
  path: string,
  source: TokenizerSource,
  rows: number,
): WrittenTokenizer {
  const json = parseTokenizerJson(path, source.tokenizerJson)
  const list = tokenList(path, json, rows)
  const named = json.model.type === 'BPE' ? namedForm(source, json, list) : undefined
  const form = named ?? [
    ['tokenizer.ggml.model', text('none')],
    [WHOLE_TOKENIZER, text(JSON.stringify(source.tokenizerJson))],
  ]
  return { fields: [...form, ...idFields(source, list.tokens)], isNamed: named !== undefined }
}

const text = (value: string): GgufField => ({ type: 'string', value })

/** ggml's form of a BPE tokenizer; undefined if there is no equivalent. */
function namedForm(
  { tokenizerJson }: TokenizerSource,
  json: TokenizerJson,
  { tokens, kinds }: TokenList,
): [string, GgufField][] | undefined {
  const merges = mergesOf(json)
  const pieces = asSentencePiece({ tokenizerJson, tokens, kinds, merges })
  if (pieces) {
    return [
      ['tokenizer.ggml.model', text('llama')],
      ['tokenizer.ggml.pre', text('default')],
      ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
      ['tokenizer.ggml.scores', { type: 'f32s', value: pieces.scores }],
      ['tokenizer.ggml.token_type', { type: 'i32s', value: pieces.kinds }],
      ['tokenizer.ggml.add_space_prefix', { type: 'bool', value: pieces.startsWithSpace }],
    ]
  }
  const splitting = splittingOf(tokenizerJson)
  if (splitting === undefined) return undefined
  return [
    ['tokenizer.ggml.model', text('gpt2')],
    ['tokenizer.ggml.pre', text(splitting)],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: kinds }],
    ['tokenizer.ggml.merges', { type: 'strings', value: merges.map((pair) => pair.join(' ')) }],
  ]
}

type Pair = readonly [string, string]

const mergesOf = ({ model }: TokenizerJson): readonly Pair[] =>
  (model as { merges: readonly (string | Pair)[] }).merges.map((merge) => {
    if (typeof merge !== 'string') return merge
    const space = merge.indexOf(' ', 1)
    return [merge.slice(0, space), merge.slice(space + 1)]
  })

function tokenList(path: string, json: TokenizerJson, rows: number): TokenList {
  const { ids, tokens: known } = tokenTable(path, json)
  const count = Math.max(rows, known.length)
  const tokens = Array.from({ length: count }, (_, id) => `[PAD${id}]`)
  const kinds = new Array<number>(count).fill(TOKEN.unused)
  for (const [token, id] of ids) {
    tokens[id] = token
    kinds[id] = TOKEN.normal
  }
  for (const { id, special } of json.added_tokens)
    kinds[id] = special ? TOKEN.control : TOKEN.userDefined
  return { tokens, kinds }
}

/** GGUF's name for this pre-tokenizer. */
function splittingOf(tokenizerJson: JsonObject): string | undefined {
  const found = plain(tokenizerJson['pre_tokenizer'])
  const { ignore_merges, byte_fallback } = tokenizerJson['model'] as JsonObject
  const known = SPLITTINGS.find(
    ({ preTokenizer, normalizer, ignoreMerges = false }) =>
      isDeepStrictEqual(plain(preTokenizer), found) &&
      isDeepStrictEqual(normalizer ?? null, tokenizerJson['normalizer'] ?? null) &&
      ignoreMerges === (ignore_merges === true),
  )
  return byte_fallback === true ? undefined : known?.names[0]
}

/** Without `trim_offsets`, which does not affect ids. */
function plain(stage: unknown): unknown {
  if (Array.isArray(stage)) return stage.map(plain)
  if (!isJsonObject(stage)) return stage
  const kept = Object.entries(stage).filter(([key]) => key !== 'trim_offsets')
  return Object.fromEntries(kept.map(([key, value]) => [key, plain(value)]))
}

function idFields(source: TokenizerSource, tokens: readonly string[]): [string, GgufField][] {
  const { endIds, prefixIds = [] } = openTokenizer(source)
  const special = specialTokens(source.tokenizerConfig)
  const idOf = (name: string) => {
    const token = special[name]
    const id = token === undefined ? -1 : tokens.indexOf(token)
    return id < 0 ? undefined : id
  }
  const eos = idOf('eos_token') ?? endIds[0]
  const ids = {
    bos: idOf('bos_token'),
    eos,
    // A second token that ends replies.
    eot: endIds.find((id) => id !== eos),
    unknown: idOf('unk_token'),
    padding: idOf('pad_token'),
  }
  return [
    ...Object.entries(ids).flatMap(([name, value]): [string, GgufField][] =>
      value === undefined ? [] : [[`tokenizer.ggml.${name}_token_id`, { type: 'u32', value }]],
    ),
    ['tokenizer.ggml.add_bos_token', { type: 'bool', value: prefixIds.length > 0 }],
  ]
}
