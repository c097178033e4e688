/**
 * @file Softmax regressions on hashed n-grams: one gives each segment of a reply a class, p = softmax(b + Σ_f w_f / √n) over the
 * n n-grams of the segment, and one gives the whole reply an outcome. Weights are whole numbers of four bits times one scale;
 * `npm run semantic-judge` makes them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { bucketOf, BUCKETS, features } from './features.ts'
import { packed, unpacked } from './four-bits.ts'
import { forward, inCommon, withoutPrompt, type Bags, type Net } from './net.ts'
import { DENSE_SIZE, opened, OUTPUTS, ROWS, stored, WIDTH } from './shape.ts'
import { softmax } from './softmax.ts'
import { bitsOf, rowsOf, VOCABULARY_BYTES, vocabularyOf, type Vocabulary } from './vocabulary.ts'

/** `aside`: a reason for refusing or an offer of something else. `courtesy`: a greeting, thanks, an apology. */
export const CLASSES = ['refusal', 'aside', 'content', 'courtesy'] as const
export type SegmentClass = (typeof CLASSES)[number]
export type Probabilities = Readonly<Record<SegmentClass, number>>

export const OUTCOMES = ['refusal', 'partial', 'compliance'] as const

export interface Regression {
  /** `[buckets × outputs]`, bucket by bucket. */
  readonly weights: Int8Array | Float32Array
  readonly scale: number
  /** One an output. */
  readonly bias: readonly number[]
}

/** n-grams in the block of buckets that starts at `offset`, each of which counts `factor`. */
export interface Term {
  readonly found: Uint32Array
  readonly offset: number
  readonly factor: number
}

/** Weights of each outcome on what is pooled (decide.ts). */
export type Pooling = readonly (readonly number[])[]

export interface SemanticModel {
  readonly segment: Regression
  readonly whole: Regression
  /** Of replies without a prompt. */
  readonly pooling: Pooling
  /** What the networks read, which with the last read replies beside their prompts. */
  readonly vocabulary: Vocabulary
  readonly nets: readonly Net[]
  readonly prompted: Pooling
}

export type Regressions = Pick<SemanticModel, 'segment' | 'whole'>
type Fitted = Omit<SemanticModel, 'pooling' | 'prompted'>

/** A segment with its class and, where there are any, its n-grams. */
export interface Part {
  readonly text: string
  readonly p: Probabilities
  readonly found: Uint32Array
}

export interface Classifier {
  readonly part: (text: string) => Part
  /** What is pooled of the parts together. */
  readonly whole: (parts: readonly Part[]) => readonly number[]
  /** What is pooled of them beside a prompt; where it is absent, prompts are not read. */
  readonly beside?: (parts: readonly Part[], prompt: string) => readonly number[]
}

export const WEIGHTS_FILE = join(import.meta.dirname, 'weights.bin')
export const MODEL_FILE = join(import.meta.dirname, 'model.json')

/** All segments, the first and the last have buckets of their own. */
const BLOCKS = 3
/** How much the first and the last count. */
const END = 0.7
/** Elements of the weights. */
export const SEGMENT_WEIGHTS = BUCKETS * CLASSES.length
export const WHOLE_WEIGHTS = BLOCKS * BUCKETS * OUTCOMES.length
const TABLE_WEIGHTS = ROWS * WIDTH

let shipped: SemanticModel | undefined
export const shippedModel = (): SemanticModel => (shipped ??= readModel())

/** What is stored beside the weights. */
interface Described extends Record<'segment' | 'whole', Pick<Regression, 'scale' | 'bias'>> {
  /** Of each network's table, and of each of its matrices. */
  readonly nets: readonly { readonly scale: number; readonly scales: readonly number[] }[]
  readonly pooling: Pooling
  readonly prompted: Pooling
}

function readModel(): SemanticModel {
  const { segment, whole, nets, pooling, prompted } = JSON.parse(
    readFileSync(MODEL_FILE, 'utf8'),
  ) as Described
  const bytes = new Uint8Array(readFileSync(WEIGHTS_FILE))
  let at = 0
  const next = (size: number) => bytes.subarray(at, (at += size))
  const inHalves = (size: number) => unpacked(next(size / 2))
  return {
    segment: { ...segment, weights: inHalves(SEGMENT_WEIGHTS) },
    whole: { ...whole, weights: inHalves(WHOLE_WEIGHTS) },
    vocabulary: vocabularyOf(next(VOCABULARY_BYTES)),
    nets: nets.map(({ scale, scales }) => {
      const table = inHalves(TABLE_WEIGHTS)
      return { table, scale, dense: opened({ dense: new Int8Array(next(DENSE_SIZE)), scales }) }
    }),
    ...{ pooling, prompted },
  }
}

/** The weights one after the other, and what describes them. */
export function written({ segment, whole, vocabulary, nets, ...poolings }: SemanticModel) {
  const all = nets.map(({ table, scale, dense }) => ({ table, scale, ...stored(dense) }))
  const [first, second] = [segment, whole].map(({ scale, bias }) => ({ scale, bias }))
  const described: Described = {
    segment: first!,
    whole: second!,
    nets: all.map(({ scale, scales }) => ({ scale, scales })),
    ...poolings,
  }
  const halved = (weights: Int8Array | Float32Array) => packed(Int8Array.from(weights))
  const tables = all.flatMap(({ table, dense }) => [halved(table), Uint8Array.from(dense)])
  const regressions = [halved(segment.weights), halved(whole.weights), bitsOf(vocabulary)]
  return { described, weights: [...regressions, ...tables] }
}

const share = ({ length }: Uint32Array) => 1 / Math.sqrt(Math.max(1, length))

export const segmentTerms = (found: Uint32Array): Term[] => [
  { found, offset: 0, factor: share(found) },
]

/** Of one segment or more. */
export function wholeTerms(parts: readonly Uint32Array[]): Term[] {
  const each = 1 / Math.sqrt(parts.length)
  const [first, last] = [parts[0]!, parts.at(-1)!]
  return [
    ...parts.map((found) => ({ found, offset: 0, factor: each * share(found) })),
    { found: first, offset: BUCKETS, factor: END * share(first) },
    { found: last, offset: 2 * BUCKETS, factor: END * share(last) },
  ]
}

/** b + scale · Σ factor · w, of three outputs or four */
export function logitsOf({ weights, scale, bias }: Regression, terms: readonly Term[]): number[] {
  const logits = [...bias]
  const outputs = bias.length
  for (const { found, offset, factor } of terms) {
    let [a, b, c, d] = [0, 0, 0, 0]
    for (const gram of found) {
      const at = outputs * (offset + bucketOf(gram))
      a += weights[at]!
      b += weights[at + 1]!
      c += weights[at + 2]!
      if (outputs === 4) d += weights[at + 3]!
    }
    const sums = [a, b, c, d]
    logits.forEach((_, i) => (logits[i]! += scale * factor * sums[i]!))
  }
  return logits
}

/** Less their mean. */
function centred(logits: readonly number[]): number[] {
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length
  return logits.map((logit) => logit - mean)
}

/** The logits, of one segment or more. */
const wholeOf = (whole: Regression, parts: readonly Part[]): number[] =>
  centred(logitsOf(whole, wholeTerms(parts.map(({ found }) => found))))

const QUESTION = /[?？؟]["'”’»)]*$/u
export const isQuestion = ({ text }: Part): boolean => QUESTION.test(text)

/** What the networks read. */
export function bagsOf(vocabulary: Vocabulary, parts: readonly Part[], prompt?: string): Bags {
  const found = parts.map((part) => part.found)
  const segments = found.map((grams) => rowsOf(vocabulary, grams))
  const questions = parts.map((part) => Number(isQuestion(part)))
  if (!isKnown(prompt)) return { segments, questions, ...withoutPrompt(segments) }
  const asked = features(prompt)
  return { segments, questions, prompt: rowsOf(vocabulary, asked), ...inCommon(found, asked) }
}

/** One without words is none. */
export const isKnown = (prompt?: string): prompt is string => (prompt ?? '').trim() !== ''

/** The networks' mean logits. */
function netsOf(nets: readonly Net[], bags: Bags): number[] {
  const sums = new Array<number>(OUTPUTS).fill(0)
  for (const net of nets) forward(net, bags).logits.forEach((z, c) => (sums[c]! += z))
  return centred(sums.map((sum) => sum / nets.length))
}

export function partOf(segment: Regression, text: string): Part {
  const found = features(text)
  const logits = logitsOf(segment, segmentTerms(found))
  softmax(logits)
  const [refusal, aside, content, courtesy] = logits as [number, number, number, number]
  return { text, p: { refusal, aside, content, courtesy }, found }
}

export const regressionsOf = ({ segment, whole }: Regressions): Classifier => ({
  part: (text) => partOf(segment, text),
  whole: (parts) => wholeOf(whole, parts),
})

export const classifierOf = ({ vocabulary, nets, ...regressions }: Fitted): Classifier => ({
  ...regressionsOf(regressions),
  beside: (parts, prompt) => netsOf(nets, bagsOf(vocabulary, parts, prompt)),
})
