/**
 * @file SentencePiece BPE in GGUF (`tokenizer.ggml.model` = "llama"): pieces with scores, of which the best-scored merge is
 * applied first. `tokenizer.json` has a list of merges instead, so each direction is a sort by score.
 */
import { isDeepStrictEqual } from 'node:util'
import type { JsonObject } from '../../../files/read-file.ts'
import { isJsonObject } from '../../../files/read-file.ts'
import { SPACE_MARK } from '../../text/tokenizer-json.ts'

/** ggml's token types. */
export const TOKEN = {
  normal: 1,
  unknown: 2,
  control: 3,
  userDefined: 4,
  unused: 5,
  byte: 6,
} as const

const escapeSpaces = { type: 'Replace', pattern: { String: ' ' }, content: SPACE_MARK }
const prefixed = {
  type: 'Sequence',
  normalizers: [{ type: 'Prepend', prepend: SPACE_MARK }, escapeSpaces],
}
const unescapeSpaces = { type: 'Replace', pattern: { String: SPACE_MARK }, content: ' ' }
const joinBytes = [unescapeSpaces, { type: 'ByteFallback' }, { type: 'Fuse' }]

export interface TokenList {
  readonly tokens: readonly string[]
  readonly kinds: readonly number[]
}

interface Pieces extends TokenList {
  readonly scores: readonly number[]
  readonly ids: JsonObject
  /** Whether the tokenizer prepends a space to a text. */
  readonly startsWithSpace: boolean
}

/** The stages and the model of a `tokenizer.json`. */
export function sentencePieceStages(pieces: Pieces): JsonObject {
  const unknown = pieces.kinds.indexOf(TOKEN.unknown)
  return {
    normalizer: pieces.startsWithSpace ? prefixed : escapeSpaces,
    pre_tokenizer: null,
    decoder: {
      type: 'Sequence',
      decoders: pieces.startsWithSpace
        ? [...joinBytes, { type: 'Strip', content: ' ', start: 1, stop: 0 }]
        : joinBytes,
    },
    model: {
      type: 'BPE',
      unk_token: pieces.tokens[unknown] ?? null,
      fuse_unk: true,
      byte_fallback: true,
      ignore_merges: false,
      vocab: pieces.ids,
      merges: mergesOf(pieces),
    },
  }
}

/** All pairs of pieces that form a third, sorted by the third's score. */
function mergesOf({ tokens, scores, kinds, ids }: Omit<Pieces, 'startsWithSpace'>) {
  const isPiece = (kind: number | undefined) => kind === TOKEN.normal || kind === TOKEN.userDefined
  const made = tokens.flatMap((_, id) => (isPiece(kinds[id]) ? [id] : []))
  made.sort((a, b) => scores[b]! - scores[a]! || a - b)
  const merges: [string, string][] = []
  for (const id of made) {
    const token = tokens[id]!
    for (let at = 1; at < token.length; at++) {
      const [left, right] = [token.slice(0, at), token.slice(at)]
      if (ids[left] !== undefined && ids[right] !== undefined) merges.push([left, right])
    }
  }
  return merges
}

interface StoredBpe extends TokenList {
  readonly tokenizerJson: JsonObject
  readonly merges: readonly (readonly [string, string])[]
}

type WrittenPieces = Pick<Pieces, 'scores' | 'kinds' | 'startsWithSpace'>

/** Undefined if it is no SentencePiece tokenizer, or if scores cannot express its merge order. */
export function asSentencePiece(stored: StoredBpe): WrittenPieces | undefined {
  const { tokenizerJson, tokens, merges } = stored
  const model = tokenizerJson['model'] as JsonObject
  const startsWithSpace = startOf(tokenizerJson)
  if (model['byte_fallback'] !== true || startsWithSpace === undefined) return undefined
  const kinds = tokens.map((token, id) => {
    if (/^<0x[0-9A-F]{2}>$/u.test(token)) return TOKEN.byte
    return token === model['unk_token'] ? TOKEN.unknown : stored.kinds[id]!
  })
  const rank = new Map<string, number>()
  for (const [index, [left, right]] of merges.entries()) {
    const made = left + right
    if (!rank.has(made)) rank.set(made, index)
  }
  // Pieces that no merge makes come last, like single characters in SentencePiece's models.
  const scores = tokens.map((token, id) => -(rank.get(token) ?? merges.length + id))
  const ids = Object.create(null) as JsonObject
  for (const [id, token] of tokens.entries()) ids[token] = id
  const again = mergesOf({ tokens, scores, kinds, ids })
  return saysTheSame(merges, again) ? { scores, kinds, startsWithSpace } : undefined
}

/** Same set of merges, and same order of the pieces they make. */
function saysTheSame(
  listed: readonly (readonly [string, string])[],
  scored: readonly (readonly [string, string])[],
): boolean {
  const order = (merges: typeof listed) =>
    merges.map((pair) => pair.join('')).filter((made, i, all) => made !== all[i - 1])
  const set = (merges: typeof listed) => merges.map((pair) => pair.join('\n')).sort()
  return (
    isDeepStrictEqual(order(listed), order(scored)) && isDeepStrictEqual(set(listed), set(scored))
  )
}

/** Whether texts get a leading space; undefined for stages other than SentencePiece's. */
function startOf(json: JsonObject): boolean | undefined {
  const splits = json['pre_tokenizer'] ?? null
  // A split at spaces has no effect after they became marks.
  const isIdle =
    splits === null ||
    (isJsonObject(splits) &&
      splits['type'] === 'Split' &&
      isDeepStrictEqual(splits['pattern'], { String: ' ' }))
  if (!isIdle) return undefined
  if (isDeepStrictEqual(json['normalizer'], prefixed)) return true
  return isDeepStrictEqual(json['normalizer'], escapeSpaces) ? false : undefined
}
