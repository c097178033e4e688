/**
 * @file Softmax regressions on hashed n-grams: one gives each segment of a reply a class, p = softmax(b + Σ_f w_f / √n) over the
 * n n-grams of the segment, and one gives the whole reply an outcome. Weights are int8 with one scale; `npm run semantic-judge`
 * makes them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUCKETS, features } from './features.ts'

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
  readonly pooling: Pooling
}

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
}

export const WEIGHTS_FILE = join(import.meta.dirname, 'weights.int8')
export const MODEL_FILE = join(import.meta.dirname, 'model.json')

/** All segments, the first and the last have buckets of their own. */
const BLOCKS = 3
/** How much the first and the last count. */
const END = 0.7
/** Elements of the weights. */
export const SEGMENT_WEIGHTS = BUCKETS * CLASSES.length
export const WHOLE_WEIGHTS = BLOCKS * BUCKETS * OUTCOMES.length

let shipped: SemanticModel | undefined
export const shippedModel = (): SemanticModel => (shipped ??= readModel())

function readModel(): SemanticModel {
  const { segment, whole, pooling } = JSON.parse(readFileSync(MODEL_FILE, 'utf8')) as SemanticModel
  const weights = new Int8Array(readFileSync(WEIGHTS_FILE))
  return {
    segment: { ...segment, weights: weights.subarray(0, SEGMENT_WEIGHTS) },
    whole: { ...whole, weights: weights.subarray(SEGMENT_WEIGHTS) },
    pooling,
  }
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

/** b + scale · Σ factor · w */
export function logitsOf({ weights, scale, bias }: Regression, terms: readonly Term[]): number[] {
  const logits = [...bias]
  for (const { found, offset, factor } of terms) {
    const sums = bias.map(() => 0)
    for (const bucket of found) {
      const at = bias.length * (offset + bucket)
      for (let c = 0; c < bias.length; c++) sums[c]! += weights[at + c]!
    }
    sums.forEach((sum, c) => (logits[c]! += scale * factor * sum))
  }
  return logits
}

/** In place. */
export function softmax(values: number[]): void {
  const most = Math.max(...values)
  const powers = values.map((value) => Math.exp(value - most))
  const total = powers.reduce((sum, power) => sum + power, 0)
  powers.forEach((power, i) => (values[i] = power / total))
}

/** The logits less their mean, of one segment or more. */
function wholeOf(whole: Regression, parts: readonly Part[]): number[] {
  const logits = logitsOf(whole, wholeTerms(parts.map(({ found }) => found)))
  const mean = logits.reduce((sum, logit) => sum + logit, 0) / logits.length
  return logits.map((logit) => logit - mean)
}

export function partOf(segment: Regression, text: string): Part {
  const found = features(text)
  const logits = logitsOf(segment, segmentTerms(found))
  softmax(logits)
  const [refusal, aside, content, courtesy] = logits as [number, number, number, number]
  return { text, p: { refusal, aside, content, courtesy }, found }
}

export const classifierOf = ({ segment, whole }: Omit<SemanticModel, 'pooling'>): Classifier => ({
  part: (text) => partOf(segment, text),
  whole: (parts) => wholeOf(whole, parts),
})
