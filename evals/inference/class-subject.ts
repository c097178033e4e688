/** @file An encoder with a classification head as a subject: continuations are class names, scored by the head. */
import type { SubjectIdentity } from '../contract/rows.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Tokenizer } from '../models/checkpoint.ts'
import { classIndex } from '../models/encoder-heads.ts'
import { cannotWrite, classesOf, type Model } from '../models/registry.ts'
import { encodeWhole } from '../models/text/whole-text.ts'
import type { Continuation, ContinuationScore } from './continuation.ts'
import type { EncoderGraph, EncoderSession } from './encoder-session.ts'
import { clipped, type NetworkState, type Subject } from './subject.ts'

interface ClassSubjectOptions {
  readonly identity: SubjectIdentity
  readonly model: Model
  readonly tokenizer: Tokenizer
  readonly session: EncoderSession
  readonly network: () => Promise<NetworkState>
}

/** Logits of texts whose classes were asked; a text has the same in any batch. */
type Known = Map<string, Float32Array>

export function classSubject(options: ClassSubjectOptions): Subject {
  const { identity, model, tokenizer, network } = options
  const refuse = () => cannotWrite(model.architecture)
  const never = () => Promise.reject(refuse())
  const known: Known = new Map()
  return {
    identity,
    network,
    continuations: (items, signal) => classScores(options, items, known, signal),
    async outputs(graph, texts, signal) {
      signal.throwIfAborted()
      const told = graph === 'classes' ? known : new Map<string, Float32Array>()
      const left = texts.filter((text) => !told.has(text))
      const own = await outputsOf(options, graph, left)
      let next = 0
      return texts.map((text) => told.get(text) ?? own[next++]!)
    },
    generate() {
      throw refuse()
    },
    logProbs: never,
    replyStartScores: never,
    rolling: never,
    complete: never,
    fits: never,
    clip: (text, tokens) => clipped(tokenizer, text, tokens),
  }
}

function outputsOf(
  { tokenizer, session }: ClassSubjectOptions,
  graph: EncoderGraph,
  texts: readonly string[],
): Promise<Float32Array[]> {
  const read = texts.map((text) => encodeWhole(tokenizer, text, session.maxPositions).ids)
  return session.run(graph, read)
}

/** log p(class | text) per item; each distinct text is computed once. */
async function classScores(
  { model, tokenizer, session }: ClassSubjectOptions,
  items: readonly Continuation[],
  known: Known,
  signal: AbortSignal,
): Promise<ContinuationScore[]> {
  const classes = classesOf(model)!
  const texts = [...new Set(items.map(({ before }) => textOf(before)))]
  const read = texts.map((text) => encodeWhole(tokenizer, text, session.maxPositions))
  signal.throwIfAborted()
  const logits = await session.run(
    'classes',
    read.map(({ ids }) => ids),
  )
  const place = new Map(texts.map((text, i) => [text, i]))
  texts.forEach((text, i) => known.set(text, logits[i]!))
  return items.map(({ key, before, continuation }) => {
    const i = place.get(textOf(before))!
    const label = continuation.trim()
    const index = classIndex(classes, label)
    if (index === -1) throw new TouchstoneError('data.class', { path: key, label, known: classes })
    const { ids, lost } = read[i]!
    const all = logSoftmax(logits[i]!)
    const logProbs = Float32Array.of(all[index]!)
    const largest = Math.max(...all)
    const likeliest = { name: classes[all.indexOf(largest)] ?? '', logProb: Math.fround(largest) }
    // `cut` tokens at the front were not given to the model.
    return { logProbs, beforeIds: [...lost, ...ids], cut: lost.length, likeliest }
  })
}

const textOf = (before: Continuation['before']): string =>
  typeof before === 'string' ? before : before.map(({ content }) => content).join('\n')

/** x − log Σ exp x, in float64. */
export function logSoftmax(logits: ArrayLike<number>): Float64Array {
  const values = Float64Array.from(logits)
  const largest = Math.max(...values)
  const sum = values.reduce((total, x) => total + Math.exp(x - largest), 0)
  return values.map((x) => x - largest - Math.log(sum))
}
