/** @file `tokenizer.json`: which kinds can be read exactly, and the small rewriting that the library needs for it. */
import { z } from 'zod'
import { TouchstoneError } from '../errors.ts'
import type { JsonObject } from './files.ts'
import { isJsonObject } from './files.ts'
import { SPACE_MARK } from './tokenizer-exact.ts'

const LARGEST_ID = 2 ** 22
const id = z.int().min(0).max(LARGEST_ID)

const addedToken = z.looseObject({
  id,
  content: z.string().min(1),
  special: z.boolean().default(false),
  single_word: z.literal(false).default(false),
  lstrip: z.boolean().default(false),
  rstrip: z.boolean().default(false),
  normalized: z.boolean().optional(),
})

const unknownToken = z.string().nullish()
const vocabulary = z.record(z.string(), id)
const modelSchema = z.discriminatedUnion('type', [
  z.looseObject({
    type: z.literal('BPE'),
    vocab: vocabulary,
    unk_token: unknownToken,
    merges: z.union([z.array(z.string()), z.array(z.tuple([z.string(), z.string()]))]),
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
})

export type TokenizerJson = z.infer<typeof tokenizerSchema>

/** What the library runs as the reference does; `Precompiled` (SentencePiece's tables) is not among them. */
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

/** The file as trusted data. `model.type` may be missing in files from before 2021. */
export function parseTokenizerJson(path: string, source: JsonObject): TokenizerJson {
  const parsed = tokenizerSchema.safeParse({ ...source, model: withType(source.model) })
  if (!parsed.success) {
    const { path: where, message } = parsed.error.issues[0]!
    throw unsupportedTokenizer(path, [...where, message].join(': '))
  }
  for (const name of Object.keys(STAGES) as StageName[]) {
    checkStage(path, name, parsed.data[name] ?? null)
  }
  checkIds(path, parsed.data)
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

/** The library knows two behaviours of `Split`; any other would give other ids without a word. */
function checkSplitting(path: string, { type, behavior, invert, replacement }: JsonObject): void {
  const known =
    (type !== 'Split' || behavior === 'Removed' || (behavior === 'Isolated' && invert !== true)) &&
    (type !== 'Punctuation' || (behavior ?? 'Isolated') === 'Isolated') &&
    (type !== 'Metaspace' || (replacement ?? SPACE_MARK) === SPACE_MARK)
  if (!known) {
    throw unsupportedTokenizer(path, `${String(type)} with ${JSON.stringify({ behavior, invert })}`)
  }
}

/** Two tokens with one id could not be told apart when decoding. */
function checkIds(path: string, { model, added_tokens: added }: TokenizerJson): void {
  if (Array.isArray(model.vocab)) {
    if (model.type === 'Unigram' && model.unk_id >= model.vocab.length) {
      throw unsupportedTokenizer(path, `unk_id ${model.unk_id} outside its vocabulary`)
    }
    return
  }
  const owner = new Map<number, string>()
  const entries = [
    ...Object.entries(model.vocab),
    ...added.map(({ content, id }) => [content, id] as const),
  ]
  for (const [token, tokenId] of entries) {
    const other = owner.get(tokenId)
    if (other !== undefined && other !== token) {
      throw unsupportedTokenizer(path, `id ${tokenId} given to "${other}" and "${token}"`)
    }
    owner.set(tokenId, token)
  }
  const unknown = model.unk_token
  if (typeof unknown === 'string' && model.type !== 'BPE' && !Object.hasOwn(model.vocab, unknown)) {
    throw unsupportedTokenizer(path, `unknown token "${unknown}" outside its vocabulary`)
  }
}
