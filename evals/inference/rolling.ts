/**
 * @file Rolling log-likelihood of a long text, as in lm-evaluation-harness: every token is predicted once, in windows of the
 * model's context with one token of context each (first the beginning of sequence). The last window is filled up with preceding
 * tokens. One window and one piece of text are in memory at a time.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Tokenizer } from '../models/checkpoint.ts'
import type { ScoredText } from './score.ts'

export interface RollingScore {
  /** Nats, summed over every token. */
  readonly logProb: number
  readonly tokens: number
  readonly windows: number
}

type TextTokenizer = Pick<Tokenizer, 'encode' | 'prefixIds'>

/** Characters on each side of a cut that are tokenised to check it. */
const TRIED = 200
/** Longest text in characters that is tokenised whole, for tokenizers that merge across line ends. */
const LONGEST_PIECE = 16 * 2 ** 20

/**
 * Tokens of the text given as consecutive `pieces`. It is cut where a line ends and the next begins with a letter or digit, if
 * the tokens around the cut are the same with and without it.
 */
export async function* tokensOf(
  pieces: AsyncIterable<string>,
  { encode, prefixIds = [] }: TextTokenizer,
  longest = LONGEST_PIECE,
): AsyncGenerator<readonly number[]> {
  if (prefixIds.length > 0) yield prefixIds
  let kept = ''
  for await (const piece of pieces) {
    kept += piece
    const at = lastCut(kept, encode)
    if (at > 0) yield encode(kept.slice(0, at))
    kept = kept.slice(at)
    if (kept.length > longest) {
      const found = `a text of which ${longest} letters must be read at once`
      throw new TouchstoneError('benchmark.unreadable', { path: 'The text file', found })
    }
  }
  if (kept !== '') yield encode(kept)
}

const BEGINS_A_WORD = /^[\p{L}\p{N}]/u
/** Line ends to try, from the last one. */
const TRIES = 20

/** The last position where the text can be cut, or 0 for none. */
function lastCut(text: string, encode: TextTokenizer['encode']): number {
  let at = text.length
  for (let i = 0; i < TRIES; i++) {
    at = text.lastIndexOf('\n', at - 1)
    if (at < 0) return 0
    if (BEGINS_A_WORD.test(text.slice(at + 1, at + 3)) && isCut(text, at + 1, encode)) return at + 1
  }
  return 0
}

function isCut(text: string, at: number, encode: TextTokenizer['encode']): boolean {
  const before = text.slice(Math.max(0, at - TRIED), at)
  const after = text.slice(at, at + TRIED)
  const apart = [...encode(before), ...encode(after)]
  const whole = encode(before + after)
  return apart.length === whole.length && apart.every((id, i) => id === whole[i])
}

/** `start` is the context of the first token. */
export async function* windowsOf(
  tokens: AsyncIterable<readonly number[]>,
  start: number,
  size: number,
): AsyncGenerator<ScoredText> {
  let key = 0
  let waiting: number[] = []
  /** Up to `size` + 1 tokens before `waiting`; initially the beginning of sequence. */
  let behind: number[] = [start]
  const textOf = (predicted: readonly number[]): ScoredText => {
    const isLast = predicted.length < size && key > 0
    const context = behind.slice(-(isLast ? size + 1 - predicted.length : 1))
    behind = [...predicted]
    return { key: `window ${++key}`, ids: [...context, ...predicted], from: context.length }
  }
  for await (const ids of tokens) {
    for (const id of ids) {
      waiting.push(id)
      if (waiting.length < size) continue
      yield textOf(waiting)
      waiting = []
    }
  }
  if (waiting.length > 0) yield textOf(waiting)
}

/** Windows per batch: a single one would be computed twice. */
const SIDE_BY_SIDE = 2

export async function rollingScore<T>(
  windows: AsyncIterable<T>,
  score: (texts: readonly T[]) => Promise<readonly Float32Array[]>,
  onProgress: (tokens: number) => void,
): Promise<RollingScore> {
  let [logProb, tokens, done] = [0, 0, 0]
  const scoreAll = async (texts: readonly T[]) => {
    for (const scores of await score(texts)) {
      tokens += scores.length
      for (const value of scores) logProb += value
    }
    done += texts.length
    onProgress(tokens)
  }
  let batch: T[] = []
  for await (const window of windows) {
    batch.push(window)
    if (batch.length < SIDE_BY_SIDE) continue
    await scoreAll(batch)
    batch = []
  }
  if (batch.length > 0) await scoreAll(batch)
  return { logProb, tokens, windows: done }
}
