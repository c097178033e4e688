/** @file A model behind an address as a subject: it answers prompts, and scores texts where its server can. */
import type { Completion, Message, SubjectIdentity } from '../../contract/rows.ts'
import { keyOf } from '../../contract/keys.ts'
import type { ServedFacts, ServedWord } from '../../contract/subjects/served.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { sha256 } from '../../files/digest.ts'
import type { Continuation } from '../../inference/continuation.ts'
import type { Decoding } from '../../inference/decoding.ts'
import type { Subject } from '../../inference/subject.ts'
import { completionOf } from './completion.ts'
import type { Fleet } from './fleet.ts'
import type { Journal } from './journal.ts'
import { inOrderOfArrival } from './arrival.ts'
import { chatRequest, type Watch } from './question.ts'
import { rollingScore } from '../../inference/rolling.ts'
import { endingOf, restOf, scoreRequest, type Pieces } from './scoring.ts'
import { textWindows, type TextWindow } from './windows.ts'

export interface ServedModel {
  readonly identity: SubjectIdentity
  readonly facts: ServedFacts
  readonly fleet: Fleet
  readonly watch: Watch
  readonly journal: Journal
  /** Tells apart what is asked again on purpose. */
  readonly salt?: string
}

/** Characters per token of English, because the server's tokenizer is not known. */
const LETTERS_PER_TOKEN = 4
/** Longest thought, where the model thinks and nothing else is said. */
const USUAL_THOUGHT = 1024

export function servedSubject(served: ServedModel): Subject {
  const never = () => Promise.reject(new Error('internal: a server was asked what it lacks'))
  return {
    identity: served.identity,
    generate: (prompts, decoding, signal) => replies(served, prompts, decoding, signal),
    continuations: (items, signal) => continuations(served, items, signal),
    logProbs: (texts, signal) =>
      each(served, texts, signal, ({ key: what, text }, own) =>
        scoresOf(served, { what, text, of: restOf }, own),
      ),
    rolling: (pieces, options) => rolling(served, pieces, options),
    replyStartScores: never,
    complete: never,
    clip: clippedText,
    fits: async () => true,
  }
}

export const clippedText = (text: string, tokens: number): string =>
  [...text].slice(0, tokens * LETTERS_PER_TOKEN).join('')

type Prompt = Parameters<Subject['generate']>[0][number]

interface Kept {
  readonly completion: Completion
  readonly word: ServedWord
}

async function* replies(
  served: ServedModel,
  prompts: readonly Prompt[],
  decoding: Decoding,
  signal: AbortSignal,
): ReturnType<Subject['generate']> {
  const ask = async (index: number, own: AbortSignal) => {
    const prompt = prompts[index]!
    const { completion, word } = await answer(served, prompt, decoding, own)
    const promptDigest = digestOf(prompt.messages, word)
    return { index, completion, promptIds: [], writtenIds: [], promptDigest, served: word }
  }
  yield* inOrderOfArrival(prompts.length, served.fleet.most, ask, signal)
}

/** Of what was sent and of how many tokens the server made of it, so that another template is another prompt. */
const digestOf = (messages: readonly Message[], { promptTokens }: ServedWord): string =>
  sha256(canonicalJson({ messages, promptTokens })).slice(0, 16)

function answer(
  { facts: { model, capabilities }, fleet, watch, journal, salt = '' }: ServedModel,
  { key, stream = key, messages }: Prompt,
  { maxNewTokens, maxThinkingTokens, temperature, seed: drawn }: Decoding,
  signal: AbortSignal,
): Promise<Kept> {
  const thought = maxThinkingTokens ?? (capabilities.reasoning === null ? 0 : USUAL_THOUGHT)
  const maxTokens = maxNewTokens + thought
  const seed = temperature === 0 ? 0 : seedOf(keyOf(stream, drawn))
  const asked = { messages, maxTokens, temperature, seed, logProbs: capabilities.replyLogProbs }
  const name = sha256(canonicalJson({ salt, stream, ...asked }))
  return journal.through(name, async () => {
    const reply = await fleet.ask(
      chatRequest(model, { what: `the prompt ${key}`, ...asked }, watch),
      signal,
    )
    return { completion: completionOf(reply), word: reply.word }
  })
}

/** 31 bits: servers take no more. */
const seedOf = (stream: string): number => Number.parseInt(sha256(stream).slice(0, 8), 16) >>> 1

const continuations = (
  served: ServedModel,
  items: readonly Continuation[],
  signal: AbortSignal,
): ReturnType<Subject['continuations']> =>
  each(served, items, signal, async ({ key, before, continuation }, own) => {
    if (typeof before !== 'string') throw new Error('internal: a server scores plain text alone')
    const of = (pieces: Pieces) => endingOf(pieces, continuation)
    const logProbs = await scoresOf(served, { what: key, text: before + continuation, of }, own)
    // A server shows no token ids: the bytes of the text stand for what it was given.
    const beforeIds = [...Buffer.from(before)]
    return { logProbs, beforeIds, cut: 0 }
  })

/** A server's tokens are not known, so that windows are cut by letters, at spaces, and no window has too many tokens. */
function rolling(
  served: ServedModel,
  pieces: AsyncIterable<string>,
  { window, onProgress, signal }: Parameters<Subject['rolling']>[1],
): ReturnType<Subject['rolling']> {
  const { contextLength } = served.facts.capabilities
  const tokens = Math.min(window, contextLength ?? window) - 1
  const score = (texts: readonly TextWindow[]) =>
    each(served, texts, signal, ({ what, before, text }, own) => {
      const of = (found: Pieces) => (before === '' ? restOf(found) : endingOf(found, text))
      return scoresOf(served, { what, text: before + text, of }, own)
    })
  return rollingScore(textWindows(pieces, tokens), score, onProgress)
}

/** In the items' order. */
async function each<I, T>(
  { fleet }: ServedModel,
  items: readonly I[],
  signal: AbortSignal,
  ask: (item: I, signal: AbortSignal) => Promise<T>,
): Promise<T[]> {
  const found = new Array<T>(items.length)
  const asked = async (index: number, own: AbortSignal) => ({
    index,
    answer: await ask(items[index]!, own),
  })
  for await (const { index, answer } of inOrderOfArrival(items.length, fleet.most, asked, signal))
    found[index] = answer
  return found
}

interface Scored {
  readonly what: string
  readonly text: string
  /** Which of its tokens; throws `Failure` where they are not those of the text. */
  readonly of: (pieces: Pieces) => Float32Array
}

async function scoresOf(
  { facts: { model, capabilities }, fleet, watch, journal, salt = '' }: ServedModel,
  { what, text, of }: Scored,
  signal: AbortSignal,
): Promise<Float32Array> {
  const way = capabilities.givenLogProbs
  if (way === null) throw new Error('internal: a server was asked for log-probabilities')
  const pieces = await journal.through(sha256(keyOf('score', salt, way, text)), async () => {
    const asked = scoreRequest(model, way, { what, prompt: text })
    const read = (bytes: Buffer, address: string) => {
      const { pieces: found, reply } = asked.read(bytes, address)
      // Servers sign chats alone, or each kind of completion with its own fingerprint.
      watch.see({ ...reply.word, fingerprint: watch.seen?.fingerprint ?? null }, address)
      of(found)
      return found
    }
    return fleet.ask({ ...asked, read }, signal)
  })
  return of(pieces)
}
