/** @file A GGUF file's tokenizer, rebuilt as the `tokenizer.json` that it was made from, and its chat template. */
import { TouchstoneError } from '../errors.ts'
import type { TemplateSource } from './chat-template.ts'
import type { JsonObject } from './files.ts'
import { malformed } from './files.ts'
import type { GgufMetadata } from './gguf-family.ts'
import type { TokenizerSource } from './tokenizer.ts'
import { idList, specialTokens } from './tokenizer.ts'

/** ggml's kinds of tokens. */
export const TOKEN = { normal: 1, unknown: 2, control: 3, userDefined: 4, unused: 5 } as const

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

/** The pattern of Llama 3 and Qwen 2, which differ in how many digits stay together. */
const words = (digits: string) =>
  `(?i:'s|'t|'re|'ve|'m|'ll|'d)|[^\\r\\n\\p{L}\\p{N}]?\\p{L}+|${digits}| ?[^\\s\\p{L}\\p{N}]+[\\r\\n]*|\\s*[\\r\\n]+|\\s+(?!\\S)|\\s+`

export interface Splitting {
  /** Values of `tokenizer.ggml.pre`; the first is written. */
  readonly names: readonly string[]
  readonly preTokenizer: JsonObject
  readonly normalizer?: JsonObject
  readonly ignoreMerges?: boolean
}

export const SPLITTINGS: readonly Splitting[] = [
  { names: ['gpt-2', 'default'], preTokenizer: byteLevel(true) },
  {
    names: ['smollm'],
    preTokenizer: {
      type: 'Sequence',
      pretokenizers: [{ type: 'Digits', individual_digits: true }, byteLevel(true)],
    },
  },
  {
    names: ['llama-bpe', 'llama3', 'llama-v3'],
    preTokenizer: splitAs(words('\\p{N}{1,3}')),
    ignoreMerges: true,
  },
  {
    names: ['qwen2'],
    preTokenizer: splitAs(words('\\p{N}')),
    normalizer: { type: 'NFC' },
  },
]

export function ggufTokenizer(path: string, metadata: GgufMetadata): TokenizerSource {
  const model = metadata.get('tokenizer.ggml.model')
  if (model !== 'gpt2') throw unsupported(path, `model ${String(model).slice(0, 60)}`)
  const name = metadata.get('tokenizer.ggml.pre') ?? 'default'
  const splitting = SPLITTINGS.find(({ names }) => (names as readonly unknown[]).includes(name))
  if (!splitting) throw unsupported(path, `splitting ${String(name).slice(0, 60)}`)
  const tokens = textList(path, metadata, 'tokenizer.ggml.tokens')
  return {
    path,
    tokenizerJson: {
      version: '1.0',
      added_tokens: addedTokens(path, metadata, tokens),
      normalizer: splitting.normalizer ?? null,
      pre_tokenizer: splitting.preTokenizer,
      post_processor: null,
      decoder: byteLevel(true),
      model: {
        type: 'BPE',
        ignore_merges: splitting.ignoreMerges ?? false,
        vocab: idsByToken(tokens),
        merges: textList(path, metadata, 'tokenizer.ggml.merges'),
      },
    },
    tokenizerConfig: tokenizerConfig(metadata, tokens),
    eosIds: ['eos', 'eot'].flatMap((end) => idList(metadata.get(`tokenizer.ggml.${end}_token_id`))),
  }
}

/** Without a prototype, so that no token can meet one of its names. */
function idsByToken(tokens: readonly string[]): JsonObject {
  const ids = Object.create(null) as JsonObject
  for (let id = 0; id < tokens.length; id++) ids[tokens[id]!] = id
  return ids
}

const unsupported = (path: string, found: string) =>
  new TouchstoneError('tokenizer.unsupported', {
    path,
    found,
    supported: `byte-level BPE ("gpt2") split as ${SPLITTINGS.flatMap(({ names }) => names).join(', ')}`,
  })

function textList(path: string, metadata: GgufMetadata, key: string): string[] {
  const value = metadata.get(key)
  if (!Array.isArray(value) || !value.every((item) => typeof item === 'string')) {
    throw malformed(path, `no list of texts at ${key}`, 'the tokenizer of the model')
  }
  return value
}

/** Control tokens are special; user-defined ones are kept whole as well, and stay visible. */
function addedTokens(
  path: string,
  metadata: GgufMetadata,
  tokens: readonly string[],
): JsonObject[] {
  const types = metadata.get('tokenizer.ggml.token_type')
  if (!Array.isArray(types) || types.length !== tokens.length) {
    throw malformed(path, 'no token_type for every token', 'tokenizer.ggml.token_type')
  }
  return tokens.flatMap((content, id) => {
    const type: unknown = types[id]
    const special = type === TOKEN.control || type === TOKEN.unknown
    if (!special && type !== TOKEN.userDefined) return []
    const kept = { single_word: false, lstrip: false, rstrip: false, normalized: false }
    return [{ id, content, special, ...kept }]
  })
}

/** The keys that `tokenizer_config.json` would have. */
function tokenizerConfig(metadata: GgufMetadata, tokens: readonly string[]): JsonObject {
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
  const tokens = textList(path, metadata, 'tokenizer.ggml.tokens')
  const special = specialTokens(tokenizerConfig(metadata, tokens))
  return { path, text, source: 'gguf', specialTokens: special }
}
