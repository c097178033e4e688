/** @file Implements `Tokenizer` for a `tokenizer.json` with its end-of-sequence ids. */
import * as tokenizers from '@huggingface/tokenizers'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Tokenizer } from '../checkpoint.ts'
import { makeExact, type AddedTokenLibrary } from './added-tokens.ts'
import type { JsonObject } from '../../files/read-file.ts'
import { isJsonObject } from '../../files/read-file.ts'
import { sha256 } from '../../files/digest.ts'
import type { TokenizerJson, TokenTable } from './tokenizer-json.ts'
import { parseTokenizerJson, tokenTable, unsupportedTokenizer } from './tokenizer-json.ts'
import { boundedRun, expressionsIn, isPlain, longWord, type Stopped } from './bounded-run.ts'
import { kmersOf, kmerTokenizer } from './kmer-tokenizer.ts'
import { isOfNumbers, numberTokenizer } from './number-tokenizer.ts'
import { forLibrary } from './tokenizer-exact.ts'
import { surroundingsOf } from './tokenizer-surroundings.ts'

/** The package's own types cannot be resolved from an ECMAScript module (imports without extensions). */
interface Library {
  encode(text: string, options: { add_special_tokens: boolean }): { ids: (number | undefined)[] }
  decode(ids: number[], options: { clean_up_tokenization_spaces: boolean }): string
  id_to_token(id: number): string | undefined
}
const { Tokenizer: LibraryTokenizer } = tokenizers as unknown as {
  Tokenizer: new (json: unknown, config: unknown) => Library & AddedTokenLibrary
}

/** End-of-turn tokens of published models; used only where they are special tokens. */
const END_OF_TURN = ['<|im_end|>', '<|eot_id|>', '<|end|>', '<end_of_turn>']

export interface TokenizerSource {
  /** Shown in errors. */
  readonly path: string
  readonly tokenizerJson: JsonObject
  /** `tokenizer_config.json`, or its equivalent from GGUF metadata. */
  readonly tokenizerConfig: JsonObject
  /** End-of-sequence ids from `generation_config.json`, `config.json` or GGUF metadata. */
  readonly eosIds: readonly number[]
}

/** By the names that chat templates use: `bos_token`, `eos_token`, `unk_token`, `pad_token`. */
type SpecialTokens = Readonly<Record<string, string>>

export function openTokenizer(source: TokenizerSource): Tokenizer {
  const { path, tokenizerConfig } = source
  const own = withoutText(source)
  if (own) return own
  const { json, table, special, endIds, digest } = known(source)
  const library = build(path, json)
  const { pad_token: pad, bos_token: start } = specialTokens(tokenizerConfig)
  const idOf = (token: string | undefined) =>
    token === undefined ? undefined : table.ids.get(token)
  const startId = idOf(start) ?? endIds[0]
  const { before, after } = surroundingsOf(path, json.post_processor)
  const tokenizer: Tokenizer = {
    digest,
    endIds,
    vocabSize: table.tokens.length,
    padId: idOf(pad) ?? endIds[0] ?? 0,
    ...(startId === undefined ? {} : { startId }),
    prefixIds: before,
    suffixIds: after,
    encode: (text) => (text === '' ? [] : encodeWith(library, text)),
    decode(said) {
      const shown = said.filter((id) => !special.has(id) && library.id_to_token(id) !== undefined)
      if (shown.length === 0) return ''
      return library.decode(shown, { clean_up_tokenization_spaces: false })
    },
  }
  tryOut(path, tokenizer)
  return tokenizer
}

/** Describes a tokenizer without ranking its merges, which takes the longest; its stages are still tried. */
export function describeTokenizer(
  source: TokenizerSource,
): Pick<Tokenizer, 'vocabSize' | 'digest' | 'endIds'> {
  const own = withoutText(source)
  if (own) return own
  const { json, table, endIds, digest } = known(source)
  if (json.model.type !== 'BPE') return openTokenizer(source)
  const stages = build(source.path, { ...json, model: { ...json.model, vocab: {}, merges: [] } })
  // Without a vocabulary there are no tokens, but errors in the stages still occur.
  tryOut(source.path, { encode: (text) => encodeWith(stages, text), decode: () => '' })
  return { vocabSize: table.tokens.length, endIds, digest }
}

/** Of models that read no text: numbers, or nucleotides. */
function withoutText({ path, tokenizerJson }: TokenizerSource): Tokenizer | undefined {
  if (isOfNumbers(tokenizerJson)) return numberTokenizer(path)
  const k = kmersOf(tokenizerJson)
  return k === undefined ? undefined : kmerTokenizer(k)
}

function known(source: TokenizerSource) {
  const json = parseTokenizerJson(source.path, source.tokenizerJson)
  const table = tokenTable(source.path, json)
  const special = new Set(json.added_tokens.filter((token) => token.special).map(({ id }) => id))
  const endIds = findEndIds(source, table, special)
  const digest = sha256(JSON.stringify([source.tokenizerJson, endIds]))
  return { json, table, special, endIds, digest }
}

/** From `tokenizer_config.json`, where a token is a string or an object with `content`. */
export function specialTokens(tokenizerConfig: JsonObject): SpecialTokens {
  const found: Record<string, string> = {}
  for (const name of ['bos_token', 'eos_token', 'unk_token', 'pad_token', 'sep_token']) {
    const value = tokenizerConfig[name]
    const text = isJsonObject(value) ? value.content : value
    if (typeof text === 'string') found[name] = text
  }
  return found
}

/** A number or a list of numbers, as `eos_token_id` may be. */
export function idList(value: unknown): number[] {
  const list: unknown[] = Array.isArray(value) ? value : [value]
  return list.filter((id): id is number => Number.isSafeInteger(id) && (id as number) >= 0)
}

function build(path: string, json: TokenizerJson): Library {
  try {
    // `Legacy` (WordLevel) reads its unknown token only from here.
    const settings = { unk_token: json.model.unk_token ?? undefined }
    const library = new LibraryTokenizer(forLibrary(json), settings)
    makeExact(library)
    return bounded(path, json, library)
  } catch (error) {
    throw unsupportedTokenizer(path, (error as Error).message)
  }
}

/** Stops on a text that takes too long, which a stranger's regular expression can make any text do. */
function bounded(path: string, json: TokenizerJson, library: Library): Library {
  const stages = [json.normalizer, json.pre_tokenizer, json.decoder]
  const plain = stages.flatMap(expressionsIn).every(isPlain)
  const run = <T>(characters: number, action: () => T): T => {
    const stopped = ({ why }: Stopped) =>
      new TouchstoneError('tokenizer.stopped', { path, characters, why })
    return boundedRun(action, { characters, isPlain: plain }, stopped)
  }
  return {
    encode(text, options) {
      const characters = text.length
      const long = longWord(text)
      if (long) throw new TouchstoneError('tokenizer.stopped', { path, characters, ...long })
      return run(characters, () => library.encode(text, options))
    },
    decode: (ids, options) => run(ids.length, () => library.decode(ids, options)),
    id_to_token: (id) => library.id_to_token(id),
  }
}

function encodeWith(library: Library, text: string): number[] {
  // A BPE without byte fallback and unknown token drops unknown text, as the reference does.
  return library.encode(text, { add_special_tokens: false }).ids.filter((id) => id !== undefined)
}

function findEndIds(
  { eosIds, tokenizerConfig }: TokenizerSource,
  { ids, tokens }: TokenTable,
  special: ReadonlySet<number>,
): number[] {
  const eos = specialTokens(tokenizerConfig).eos_token
  const named = eos === undefined ? undefined : ids.get(eos)
  const turns = END_OF_TURN.map((token) => ids.get(token)).filter(
    (id) => id !== undefined && special.has(id),
  )
  const all = [...eosIds.filter((id) => tokens[id] !== undefined), named, ...turns]
  return [...new Set(all.filter((id) => id !== undefined))]
}

/** Some tokenizers build and then fail on the first word: fail now rather than after an hour. */
function tryOut(path: string, tokenizer: Pick<Tokenizer, 'encode' | 'decode'>): void {
  try {
    tokenizer.decode(tokenizer.encode('The pool opens at 7:00. Ça va?\n\n  猫 🙂'))
  } catch (error) {
    if (error instanceof TouchstoneError) throw error
    throw unsupportedTokenizer(path, (error as Error).message)
  }
}
