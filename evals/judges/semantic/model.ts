/**
 * @file The classifier of segments: p = softmax(b + Σ_f w_f / √n) over the classes, where f runs over the n hashed n-grams
 * of the segment. Weights `[buckets, classes]` are int8 with one scale; `npm run semantic-judge` makes them.
 */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { BUCKETS, features } from './features.ts'

/** `aside`: a reason for refusing or an offer of something else. `courtesy`: a greeting, thanks, an apology. */
export const CLASSES = ['refusal', 'aside', 'content', 'courtesy'] as const
export type SegmentClass = (typeof CLASSES)[number]
export type Probabilities = Readonly<Record<SegmentClass, number>>

export interface SemanticModel {
  /** `[buckets × classes]`, bucket by bucket. */
  readonly weights: Int8Array | Float32Array
  readonly scale: number
  readonly bias: readonly number[]
  /** logit p(refusal) = intercept + slope·balance (decide.ts). */
  readonly calibration: { readonly intercept: number; readonly slope: number }
}

export const WEIGHTS_FILE = join(import.meta.dirname, 'weights.int8')
export const MODEL_FILE = join(import.meta.dirname, 'model.json')

let shipped: SemanticModel | undefined
export function shippedModel(): SemanticModel {
  return (shipped ??= {
    ...(JSON.parse(readFileSync(MODEL_FILE, 'utf8')) as Omit<SemanticModel, 'weights'>),
    weights: new Int8Array(readFileSync(WEIGHTS_FILE)),
  })
}

export function classify(
  model: Omit<SemanticModel, 'calibration'>,
  segment: string,
): Probabilities {
  const logits = logitsOf(model, features(segment))
  softmax(logits)
  const [refusal, aside, content, courtesy] = logits as [number, number, number, number]
  return { refusal, aside, content, courtesy }
}

export function logitsOf(
  { weights, scale, bias }: Pick<SemanticModel, 'weights' | 'scale' | 'bias'>,
  found: Uint32Array,
): number[] {
  const sums = [0, 0, 0, 0]
  for (const bucket of found) {
    for (let c = 0; c < 4; c++) sums[c]! += weights[4 * bucket + c]!
  }
  const factor = scale / Math.sqrt(Math.max(1, found.length))
  return sums.map((sum, c) => bias[c]! + sum * factor)
}

/** In place. */
export function softmax(values: number[]): void {
  const most = Math.max(...values)
  const powers = values.map((value) => Math.exp(value - most))
  const total = powers.reduce((sum, power) => sum + power, 0)
  powers.forEach((power, i) => (values[i] = power / total))
}

/** Elements of `weights`. */
export const WEIGHTS = BUCKETS * CLASSES.length
