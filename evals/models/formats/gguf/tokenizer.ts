/** @file Rebuilds a GGUF file's tokenizer as the `tokenizer.json` that it was made from, and reads its chat template. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { TemplateSource } from '../../text/chat-template.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import { malformed, parseJsonObject } from '../../../files/read-file.ts'
import type { GgufMetadata } from './family.ts'
import { sentencePieceStages, TOKEN } from './sentencepiece.ts'
import { parseTokenizerJson, tokenTable } from '../../text/tokenizer-json.ts'
import type { TokenizerSource } from '../../text/tokenizer.ts'
import { idList, specialTokens } from '../../text/tokenizer.ts'

const byteLevel = (useRegex: boolean) => ({
  type: 'ByteLevel',
  add_prefix_space: false,
  trim_offsets: true,
  use_regex: useRegex,
})

const splitAs = (pattern: string) => ({
  type: 'Sequence',
  pretokenizers: [
    { type: 'Split', pattern: { Regex: pattern }, behavior: 'Isolated', invert: false },
    byteLevel(false),
  ],
})

/** The pattern of Llama 3 and Qwen 2, which differ in how digits are grouped. */
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

interface Splitting {
  /** Values of `tokenizer.ggml.pre`; the first one is written. */
  readonly names: readonly string[]
  readonly preTokenizer: JsonObject
  readonly normalizer?: JsonObject
  readonly ignoreMerges?: boolean
}

export const SPLITTINGS: readonly Splitting[] = [
  {
    names: ['gpt-2', 'default', 'phi-2', 'jais', 'trillion', 'granite-docling'],
    preTokenizer: byteLevel(true),
  },
  { names: ['olmo', 'mpt'], preTokenizer: byteLevel(true), normalizer: { type: 'NFC' } },
  {
    names: ['smollm', 'starcoder', 'refact', 'codeshell'],
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
    },
  },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3', 'falcon3'],
    preTokenizer: splitAs(words('\\p{N}{1,3}')),
    ignoreMerges: true,
  },
  { names: ['dbrx', 'smaug-bpe'], preTokenizer: splitAs(words('\\p{N}{1,3}')) },
  {
    names: ['qwen2', 'deepseek-r1-qwen', 'megrez'],
    preTokenizer: splitAs(words('\\p{N}')),
    normalizer: { type: 'NFC' },
  },
  { names: ['stablelm2'], preTokenizer: splitAs(words('\\p{N}')) },
]

/** GGUF's key for a whole `tokenizer.json`; `tokenizer.ggml.model` is then "none". */
export const WHOLE_TOKENIZER = 'tokenizer.huggingface.json'

export function ggufTokenizer(path: string, metadata: GgufMetadata): TokenizerSource {
  const tokens = tokensOf(path, metadata)
  return {
    path,
    tokenizerJson: wholeTokenizer(path, metadata) ?? rebuilt(path, metadata, tokens as string[]),
    tokenizerConfig: tokenizerConfig(metadata, tokens),
    eosIds: ['eos', 'eot'].flatMap((end) => idList(metadata.get(`tokenizer.ggml.${end}_token_id`))),
  }
}

/** Undefined if the file has ggml's own form, which takes precedence as in llama.cpp. */
function wholeTokenizer(path: string, metadata: GgufMetadata): JsonObject | undefined {
  const [model, whole] = [metadata.get('tokenizer.ggml.model'), metadata.get(WHOLE_TOKENIZER)]
  if ((model !== 'none' && model !== 'no_vocab') || typeof whole !== 'string') return undefined
  return parseJsonObject(whole, `${path} (${WHOLE_TOKENIZER})`)
}

/** Tokens by id. */
function tokensOf(path: string, metadata: GgufMetadata): readonly (string | undefined)[] {
  const whole = wholeTokenizer(path, metadata)
  return whole
    ? tokenTable(path, parseTokenizerJson(path, whole)).tokens
    : textList(path, metadata, 'tokenizer.ggml.tokens')
}

function rebuilt(path: string, metadata: GgufMetadata, tokens: readonly string[]): JsonObject {
  const model = String(metadata.get('tokenizer.ggml.model'))
  const stages = STAGES.get(model)
  if (!stages) throw unsupported(path, `model ${model.slice(0, 60)}`)
  const kinds = numberList(path, metadata, 'tokenizer.ggml.token_type', tokens.length)
  return {
    version: '1.0',
    added_tokens: addedTokens(tokens, kinds),
    post_processor: null,
    ...stages(path, metadata, tokens, kinds),
  }
}

type Stages = (
  path: string,
  metadata: GgufMetadata,
  tokens: readonly string[],
  kinds: readonly number[],
) => JsonObject

const byteLevelStages: Stages = (path, metadata, tokens) => {
  const name = metadata.get('tokenizer.ggml.pre') ?? 'default'
  const splitting = SPLITTINGS.find(({ names }) => (names as readonly unknown[]).includes(name))
  if (!splitting) throw unsupported(path, `splitting ${String(name).slice(0, 60)}`)
  return {
    normalizer: splitting.normalizer ?? null,
    pre_tokenizer: splitting.preTokenizer,
    decoder: byteLevel(true),
    model: {
      type: 'BPE',
      ignore_merges: splitting.ignoreMerges ?? false,
      vocab: idsByToken(tokens),
      merges: textList(path, metadata, 'tokenizer.ggml.merges'),
    },
  }
}

/** SentencePiece's own default is 16. Each piece is split at every position to find its merges. */
const LONGEST_PIECE = 256

const piecesStages: Stages = (path, metadata, tokens, kinds) => {
  const long = tokens.find((token) => token.length > LONGEST_PIECE)
  if (long !== undefined) throw unsupported(path, `a piece of ${long.length} letters`)
  return sentencePieceStages({
    tokens,
    kinds,
    ids: idsByToken(tokens),
    scores: numberList(path, metadata, 'tokenizer.ggml.scores', tokens.length),
    startsWithSpace: metadata.get('tokenizer.ggml.add_space_prefix') !== false,
  })
}

const STAGES: ReadonlyMap<string, Stages> = new Map([
  ['gpt2', byteLevelStages],
  ['llama', piecesStages],
])

/** No prototype, so that no token collides with an inherited name. */
function idsByToken(tokens: readonly string[]): JsonObject {
  const ids = Object.create(null) as JsonObject
  for (let id = 0; id < tokens.length; id++) ids[tokens[id]!] = id
  return ids
}

const unsupported = (path: string, found: string) =>
  new TouchstoneError('tokenizer.unsupported', {
    path,
    found,
    supported: `SentencePiece's BPE ("llama"), and byte-level BPE ("gpt2") split as ${SPLITTINGS.flatMap(({ names }) => names).join(', ')}`,
  })

function textList(path: string, metadata: GgufMetadata, key: string): string[] {
  const value = metadata.get(key)
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw malformed(path, `no list of texts at ${key}`, 'the tokenizer of the model')
  }
  return value
}

function numberList(path: string, metadata: GgufMetadata, key: string, length: number): number[] {
  const value = metadata.get(key)
  const isOfNumbers = Array.isArray(value) && value.every((item) => typeof item === 'number')
  if (isOfNumbers && value.length === length) return value
  throw malformed(path, `no number for every token at ${key}`, `${length} numbers`)
}

/** Control tokens are special; user-defined ones are matched whole but stay visible. */
function addedTokens(tokens: readonly string[], kinds: readonly number[]): JsonObject[] {
  return tokens.flatMap((content, id) => {
    const kind = kinds[id]
    const special = kind === TOKEN.control || kind === TOKEN.unknown
    if (!special && kind !== TOKEN.userDefined) return []
    const kept = { single_word: false, lstrip: false, rstrip: false, normalized: false }
    return [{ id, content, special, ...kept }]
  })
}

/** The keys of `tokenizer_config.json`. */
function tokenizerConfig(
  metadata: GgufMetadata,
  tokens: readonly (string | undefined)[],
): JsonObject {
  const names = { bos: 'bos', eos: 'eos', unknown: 'unk', padding: 'pad' }
  return Object.fromEntries(
    Object.entries(names).flatMap(([theirs, ours]) => {
      const id = metadata.get(`tokenizer.ggml.${theirs}_token_id`)
      const token = typeof id === 'number' ? tokens[id] : undefined
      return token === undefined ? [] : [[`${ours}_token`, token]]
    }),
  )
}

export function ggufTemplate(path: string, metadata: GgufMetadata): TemplateSource {
  const text = metadata.get('tokenizer.chat_template')
  if (typeof text !== 'string') throw new TouchstoneError('template.missing', { path })
  const special = specialTokens(tokenizerConfig(metadata, tokensOf(path, metadata)))
  return { path, text, source: 'gguf', specialTokens: special }
}
