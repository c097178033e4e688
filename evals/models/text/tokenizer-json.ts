/** @file Parses `tokenizer.json` and refuses kinds whose ids the library does not reproduce exactly. */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { JsonObject } from '../../files/read-file.ts'
import { isJsonObject } from '../../files/read-file.ts'

/** SentencePiece's visible space, U+2581. */
export const SPACE_MARK = '\u2581'

const LARGEST_ID = 2 ** 22
const id = z.int().min(0).max(LARGEST_ID)

const addedToken = z.looseObject({
  id,
  content: z.string().min(1),
  special: z.boolean().default(false),
  single_word: z.boolean().default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
})

const unknownToken = z.string().nullish()
// Entries are checked by hand: a schema for each of a hundred thousand would dominate the parsing time.
/** `tokenTable` checks the ids. */
const vocabulary = z.custom<Record<string, number>>(isJsonObject, 'not an object of ids')
type Merges = readonly string[] | readonly (readonly [string, string])[]
const isText = (value: unknown) => typeof value === 'string'
const isPair = (value: unknown) =>
  Array.isArray(value) && value.length === 2 && isText(value[0]) && isText(value[1])
const merges = z.custom<Merges>(
  (value) => Array.isArray(value) && (value.every(isText) || value.every(isPair)),
  'not a list of texts or of pairs',
)
const modelSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BPE'),
    vocab: vocabulary,
    unk_token: unknownToken,
    merges,
    dropout: z.null().optional(),
    continuing_subword_prefix: z.union([z.null(), z.literal('')]).optional(),
  }),
  z.looseObject({ type: z.literal('WordLevel'), vocab: vocabulary, unk_token: z.string() }),
  z.looseObject({ type: z.literal('WordPiece'), vocab: vocabulary, unk_token: z.string() }),
  z.looseObject({
    type: z.literal('Unigram'),
    vocab: z.array(z.tuple([z.string(), z.number()])).min(1),
    unk_id: id,
    unk_token: unknownToken,
  }),
])

const stage = z.looseObject({ type: z.string() }).nullish()
const tokenizerSchema = z.looseObject({
  model: modelSchema,
  added_tokens: z.array(addedToken).default([]),
  normalizer: stage,
  pre_tokenizer: stage,
  decoder: stage,
  post_processor: stage,
})

export type TokenizerJson = z.infer<typeof tokenizerSchema>

/** Stages that the library runs like the reference. `Precompiled` (SentencePiece's tables) is not among them. */
const STAGES = {
  normalizer:
    'Sequence BertNormalizer Replace NFC NFD NFKC NFKD Strip StripAccents Lowercase Prepend',
  pre_tokenizer:
    'Sequence BertPreTokenizer Whitespace WhitespaceSplit Metaspace ByteLevel Split Punctuation Digits',
  decoder: 'Sequence ByteLevel WordPiece Metaspace BPEDecoder Replace Fuse Strip ByteFallback',
} as const
type StageName = keyof typeof STAGES

export function unsupportedTokenizer(path: string, found: string): TouchstoneError {
  return new TouchstoneError('tokenizer.unsupported', {
    path,
    found,
    supported: 'BPE, WordLevel, WordPiece and Unigram models of the tokenizers library',
  })
}

/** Validates the file. Files from before 2021 may lack `model.type`. */
export function parseTokenizerJson(path: string, source: JsonObject): TokenizerJson {
  const parsed = tokenizerSchema.safeParse({ ...source, model: withType(source.model) })
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0]!
    throw unsupportedTokenizer(path, [...where, message].join(': '))
  }
  for (const name of Object.keys(STAGES) as StageName[]) {
    checkStage(path, name, parsed.data[name] ?? null)
  }
  checkUnknown(path, parsed.data)
  return parsed.data
}

function withType(model: unknown): unknown {
  if (!isJsonObject(model) || typeof model.type === 'string') return model
  if (Array.isArray(model.vocab)) return { ...model, type: 'Unigram' }
  return { ...model, type: 'merges' in model ? 'BPE' : 'WordPiece' }
}

function checkStage(path: string, name: StageName, value: unknown): void {
  if (value === null) return
  if (!isJsonObject(value) || typeof value.type !== 'string') {
    throw unsupportedTokenizer(path, `${name} without a type`)
  }
  if (!STAGES[name].split(' ').includes(value.type)) {
    throw unsupportedTokenizer(path, `${name} ${value.type}`)
  }
  const children = value.normalizers ?? value.pretokenizers ?? value.decoders
  if (value.type === 'Sequence') {
    if (!Array.isArray(children)) throw unsupportedTokenizer(path, `${name} Sequence without parts`)
    for (const child of children) checkStage(path, name, child)
  } else if (name === 'pre_tokenizer') {
    checkSplitting(path, value)
  }
}

/** The library supports two behaviours of `Split`, and one is rewritten; any other would silently change ids. */
function checkSplitting(path: string, { type, behavior, invert, replacement }: JsonObject): void {
  const known =
    (type !== 'Split' ||
      behavior === 'Removed' ||
      ((behavior === 'Isolated' || behavior === 'MergedWithPrevious') && invert !== true)) &&
    (type !== 'Punctuation' || (behavior ?? 'Isolated') === 'Isolated') &&
    (type !== 'Metaspace' || (replacement ?? SPACE_MARK) === SPACE_MARK)
  if (!known) {
    throw unsupportedTokenizer(path, `${String(type)} with ${JSON.stringify({ behavior, invert })}`)
  }
}

export interface TokenTable {
  readonly ids: ReadonlyMap<string, number>
  /** By id; undefined for unused ids. */
  readonly tokens: readonly (string | undefined)[]
}

/**
 * Refuses two tokens with one id, which decoding could not tell apart, except in Unigram's list, where ids are positions.
 */
export function tokenTable(
  path: string,
  { model, added_tokens: added }: TokenizerJson,
): TokenTable {
  const ids = new Map<string, number>()
  const tokens: (string | undefined)[] = []
  const isList = Array.isArray(model.vocab)
  const add = (token: string, tokenId: number) => {
    if (!Number.isInteger(tokenId) || tokenId < 0 || tokenId > LARGEST_ID) {
      throw unsupportedTokenizer(path, `id ${String(tokenId)} of "${token}"`)
    }
    const other = tokens[tokenId]
    if (!isList && other !== undefined && other !== token) {
      throw unsupportedTokenizer(path, `id ${tokenId} given to "${other}" and "${token}"`)
    }
    tokens[tokenId] = token
    ids.set(token, tokenId)
  }
  if (Array.isArray(model.vocab)) {
    for (const [tokenId, [token]] of model.vocab.entries()) add(token, tokenId)
  } else {
    for (const token of Object.keys(model.vocab)) add(token, model.vocab[token]!)
  }
  for (const { content, id: tokenId } of added) add(content, tokenId)
  return { ids, tokens }
}

function checkUnknown(path: string, { model }: TokenizerJson): void {
  if (model.type === 'Unigram') {
    if (model.unk_id < model.vocab.length) return
    throw unsupportedTokenizer(path, `unk_id ${model.unk_id} outside its vocabulary`)
  }
  const unknown = model.unk_token
  if (typeof unknown === 'string' && model.type !== 'BPE' && !Object.hasOwn(model.vocab, unknown)) {
    throw unsupportedTokenizer(path, `unknown token "${unknown}" outside its vocabulary`)
  }
}
