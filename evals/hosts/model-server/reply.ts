/**
 * @file One reply while it is written: its text so far, up to a stop string, and its tokens with their log-probabilities. Text
 * that may still change is held back: an unfinished character, and the beginning of a stop string.
 */
import type { Chosen, Scored } from '../../inference/serving/choose.ts'
import type { Tokenizer } from '../../models/checkpoint.ts'
import { splitThought, type ReplyStart } from '../../models/text/thoughts.ts'

export interface TokenText {
  readonly id: number
  readonly text: string
  /** Nats; null where none was computed. */
  readonly logProb: number | null
  /** The likeliest tokens in its place, best first. */
  readonly top: readonly { readonly text: string; readonly logProb: number }[]
}

export interface Texts {
  readonly text: string
  /** Before the answer; empty where there is none. */
  readonly thought: string
}

export interface Reply {
  /** True where a stop string was met. */
  add(chosen: Chosen, isEnd: boolean): boolean
  /** Of all tokens so far; `isWhole`: nothing is held back. */
  texts(isWhole: boolean): Texts
  /** Without the end token. */
  readonly tokens: readonly TokenText[]
  /** The end token included. */
  readonly count: number
}

/** Tokens before another that may share a character or a space with it. */
const CONTEXT = 8

/** @param prompt with `start` a conversation; without, a plain text that the reply continues, and that has no thought */
export function createReply(
  tokenizer: Pick<Tokenizer, 'encode' | 'decode'>,
  prompt: { readonly ids: readonly number[]; readonly start?: ReplyStart },
  stops: readonly string[],
): Reply {
  const { start } = prompt
  const context = start ? [] : prompt.ids.slice(-CONTEXT)
  const ids: number[] = []
  const tokens: TokenText[] = []
  let count = 0
  let end: number | undefined
  const whole = (): Texts => {
    if (!start) return { text: textAfter(tokenizer, context, ids), thought: '' }
    const { answer, thought } = splitThought(tokenizer, ids, start)
    return { text: answer, thought: thought?.text ?? '' }
  }
  return {
    tokens,
    get count() {
      return count
    },
    add({ id, score }, isEnd) {
      count++
      if (isEnd) return false
      ids.push(id)
      const before = [...context, ...ids.slice(-CONTEXT - 1, -1)]
      tokens.push(tokenText(tokenizer, before, id, score))
      if (stops.length === 0) return false
      end = firstOf(whole().text, stops)
      return end !== undefined
    },
    texts(isWhole) {
      const { text, thought } = whole()
      const cut = end === undefined ? text : text.slice(0, end)
      return isWhole || end !== undefined
        ? { text: cut, thought }
        : { text: settled(cut, stops), thought: settled(thought, []) }
    },
  }
}

/** What tokens add to those before. A character of several tokens belongs to the one that completes it. */
function textAfter(
  tokenizer: Pick<Tokenizer, 'decode'>,
  context: readonly number[],
  ids: readonly number[],
): string {
  const before = tokenizer.decode(context)
  const after = tokenizer.decode([...context, ...ids])
  let same = 0
  while (same < before.length && before[same] === after[same]) same++
  return after.slice(same)
}

/** A token after those of `before`, with its score. */
export function tokenText(
  tokenizer: Pick<Tokenizer, 'decode'>,
  before: readonly number[],
  id: number,
  score: Scored | undefined,
): TokenText {
  const context = before.slice(-CONTEXT)
  const textOf = (token: number) => textAfter(tokenizer, context, [token])
  const top = (score?.top ?? []).map((each) => ({ text: textOf(each.id), logProb: each.logProb }))
  return { id, text: textOf(id), logProb: score?.logProb ?? null, top }
}

/** Where the first stop string begins. */
function firstOf(text: string, stops: readonly string[]): number | undefined {
  const found = stops.map((stop) => text.indexOf(stop)).filter((at) => at >= 0)
  return found.length === 0 ? undefined : Math.min(...found)
}

/** The text without an unfinished character at its end, or what may become a stop string. */
function settled(text: string, stops: readonly string[]): string {
  const finished = text.replace(/�+$/u, '')
  const held = stops.map((stop) => {
    let length = Math.min(stop.length - 1, finished.length)
    while (length > 0 && !finished.endsWith(stop.slice(0, length))) length--
    return length
  })
  return finished.slice(0, finished.length - Math.max(0, ...held))
}
