/** @file A `tokenizer.json` as a GGUF file's metadata: the way back of gguf-tokenizer.ts, for the splittings that it knows. */
import { isDeepStrictEqual } from 'node:util'
import { TouchstoneError } from '../errors.ts'
import { isJsonObject } from './files.ts'
import { SPLITTINGS, TOKEN } from './gguf-tokenizer.ts'
import type { GgufField } from './gguf-write.ts'
import { parseTokenizerJson, tokenTable, type TokenizerJson } from './tokenizer-json.ts'
import { openTokenizer, specialTokens, type TokenizerSource } from './tokenizer.ts'

/** @param rows of the embedding: each needs a token, so those beyond the vocabulary get one that no text has */
export function tokenizerFields(
  path: string,
  source: TokenizerSource,
  rows: number,
): [string, GgufField][] {
  const json = parseTokenizerJson(path, source.tokenizerJson)
  if (json.model.type !== 'BPE') throw unsupported(path, `a ${json.model.type} tokenizer`)
  const { tokens, types } = tokenList(path, json, rows)
  const merges = json.model.merges.map((merge) => (Array.isArray(merge) ? merge.join(' ') : merge))
  return [
    ['tokenizer.ggml.model', { type: 'string', value: 'gpt2' }],
    ['tokenizer.ggml.pre', { type: 'string', value: splittingOf(path, source, json) }],
    ['tokenizer.ggml.tokens', { type: 'strings', value: tokens }],
    ['tokenizer.ggml.token_type', { type: 'i32s', value: types }],
    ['tokenizer.ggml.merges', { type: 'strings', value: merges }],
    ...idFields(source, tokens),
  ]
}

function tokenList(path: string, json: TokenizerJson, rows: number) {
  const { ids, tokens: known } = tokenTable(path, json)
  const count = Math.max(rows, known.length)
  const tokens = Array.from({ length: count }, (_, id) => `[PAD${id}]`)
  const types = new Array<number>(count).fill(TOKEN.unused)
  for (const [token, id] of ids) {
    tokens[id] = token
    types[id] = TOKEN.normal
  }
  for (const { id, special } of json.added_tokens)
    types[id] = special ? TOKEN.control : TOKEN.userDefined
  return { tokens, types }
}

/** What comes before merging must be one of the ways that the format has a name for. */
function splittingOf(path: string, { tokenizerJson }: TokenizerSource, json: TokenizerJson) {
  const found = plain(tokenizerJson['pre_tokenizer'])
  const ignoresMerges = (json.model as { ignore_merges?: unknown }).ignore_merges === true
  const known = SPLITTINGS.find(
    ({ preTokenizer, normalizer, ignoreMerges = false }) =>
      isDeepStrictEqual(plain(preTokenizer), found) &&
      isDeepStrictEqual(normalizer ?? null, tokenizerJson['normalizer'] ?? null) &&
      ignoreMerges === ignoresMerges,
  )
  if (!known) throw unsupported(path, 'another way of splitting text')
  return known.names[0]!
}

/** Offsets are of no consequence for ids. */
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

const unsupported = (path: string, found: string) =>
  new TouchstoneError('export.unsupported', {
    ...{ path, form: 'GGUF', found },
    supported: `byte-level BPE split as ${SPLITTINGS.map(({ names }) => names[0]!).join(', ')}`,
  })
