/** @file Fits a softmax regression on hashed n-grams by AdamW with dropout of n-grams, and rounds its weights to four bits. */
import { adamW, type OptimizerState } from '../../graph/optimizer.ts'
import { bucketOf } from '../../judges/semantic/features.ts'
import { inFourBits } from '../../judges/semantic/four-bits.ts'
import { logitsOf, type Regression, type Term } from '../../judges/semantic/model.ts'
import { softmax } from '../../judges/semantic/softmax.ts'
import type { RandomStream } from '../../statistics/random.ts'

/** n-grams and the outputs that they may have. */
export interface Labelled {
  readonly terms: readonly Term[]
  readonly targets: readonly number[]
}

export interface RegressionTraining {
  readonly steps: number
  readonly batch: number
  readonly learningRate: number
  readonly weightDecay: number
  /** Share of the n-grams left out, drawn anew each time. */
  readonly dropout: number
  /** Examples that are drawn; the steps read these. */
  readonly drawn: number
  /** Fits whose mean is taken: a single one depends more on what it happens to draw than on a few replies more or less. */
  readonly fits: number
}

interface Shape {
  /** Elements of the weights. */
  readonly weights: number
  readonly outputs: number
}

export async function fitRegression(
  examples: readonly Labelled[],
  { weights, outputs }: Shape,
  config: RegressionTraining,
  random: RandomStream,
): Promise<Regression> {
  const mean = new Float32Array(weights + outputs)
  for (let fit = 0; fit < config.fits; fit++) {
    const fitted = await fitOnce(examples, { weights, outputs }, config, random)
    fitted.forEach((value, i) => (mean[i]! += value / config.fits))
  }
  return quantised(mean.subarray(0, weights), mean.subarray(weights))
}

async function fitOnce(
  examples: readonly Labelled[],
  { weights, outputs }: Shape,
  config: RegressionTraining,
  random: RandomStream,
): Promise<Float32Array> {
  const size = weights + outputs
  const parameters = new Float32Array(size)
  const moments = { firstMoment: new Float32Array(size), secondMoment: new Float32Array(size) }
  const state: OptimizerState = { parameters, ...moments, step: 0 }
  const groups = [
    { start: 0, end: weights, learningRateScale: 1, decays: true },
    { start: weights, end: size, learningRateScale: 1, decays: false },
  ]
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: config.weightDecay }
  for (let step = 0; step < config.steps; step++) {
    const gradient = new Float32Array(size)
    const bias = [...parameters.subarray(weights)]
    for (let i = 0; i < config.batch; i++) {
      const { terms, targets } = examples[random.integer(examples.length)]!
      const kept = terms.map((term) => thinned(term, config.dropout, random))
      addGradient(gradient, { weights: parameters, scale: 1, bias }, { terms: kept, targets })
    }
    const rate = config.learningRate * (1 - step / config.steps)
    await adamW(state, gradient, adam, groups, rate, 1 / config.batch)
  }
  return parameters
}

/** With some n-grams left out, and as long a vector. */
function thinned(term: Term, dropout: number, random: RandomStream): Term {
  const found = term.found.filter(() => random.uniform() >= dropout)
  const factor = term.factor * Math.sqrt(term.found.length / Math.max(1, found.length))
  return { ...term, found, factor }
}

/** The gradient of −log Σ p(targets) in the logits (Cour, Sapp and Taskar 2011: partial labels). */
export function errorsOf(p: readonly number[], targets: readonly number[]): number[] {
  const allowed = targets.reduce((sum, c) => sum + p[c]!, 0)
  return p.map((value, c) => value - (targets.includes(c) ? value / allowed : 0))
}

function addGradient(
  gradient: Float32Array,
  regression: Regression,
  { terms, targets }: Labelled,
): void {
  const logits = logitsOf(regression, terms)
  softmax(logits)
  const errors = errorsOf(logits, targets)
  const outputs = errors.length
  for (const { found, offset, factor } of terms) {
    for (const gram of found) {
      const at = outputs * (offset + bucketOf(gram))
      for (let c = 0; c < outputs; c++) gradient[at + c]! += errors[c]! * factor
    }
  }
  const end = gradient.length - outputs
  errors.forEach((error, c) => (gradient[end + c]! += error))
}

/** Rounded as it is stored. */
const quantised = (weights: Float32Array, bias: Float32Array): Regression => ({
  ...inFourBits(weights),
  bias: [...bias],
})
