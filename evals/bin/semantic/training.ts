/**
 * @file Trains the semantic judge: softmax regression on hashed n-grams with feature dropout and AdamW, then a logistic
 * calibration on composed replies of other frames. Deterministic for a seed on one machine.
 */
import { adamW, type OptimizerState } from '../../graph/optimizer.ts'
import { evidence } from '../../judges/semantic/decide.ts'
import { features } from '../../judges/semantic/features.ts'
import {
  CLASSES,
  classify,
  logitsOf,
  softmax,
  WEIGHTS,
  type Probabilities,
  type SemanticModel,
} from '../../judges/semantic/model.ts'
import { randomStream, type RandomStream } from '../../statistics/random.ts'
import { compose, KINDS, sentence, type Composed, type Language, type Split } from './corpus.ts'

interface SemanticTraining {
  readonly seed: number
  readonly steps: number
  readonly batch: number
  readonly learningRate: number
  readonly weightDecay: number
  /** Share of a segment's n-grams left out, drawn anew each time. */
  readonly dropout: number
}
export const TRAINING: SemanticTraining = {
  seed: 0,
  steps: 1200,
  batch: 256,
  learningRate: 0.05,
  weightDecay: 0.1,
  dropout: 0.4,
}

/** All but the frames that are held out. */
export const READ_SPLITS: readonly Split[] = ['training', 'calibration']

/** How often a kind is drawn. */
const SHARES: Readonly<Record<string, number>> = {
  hard: 4,
  polite: 4,
  policy: 2,
  persona: 2,
  short: 1,
  reason: 2,
  offer: 4,
  answer: 7,
  steps: 2,
  negation: 5,
  host: 2,
  caveat: 1,
  opener: 2,
  apology: 2,
  closer: 1,
}
const DRAWN = Object.keys(KINDS).flatMap((kind) => Array<string>(SHARES[kind]!).fill(kind))

interface Example {
  readonly text: string
  readonly target: number
}

/** A sentence as replies hold it: at times without its final mark, or after a greeting and a comma. */
function vary(text: string, opener: string | null, random: RandomStream): string {
  const [first, second] = [random.uniform(), random.uniform()]
  const bare = first < 0.25 ? text.replace(/[.!?。！？।؟]+$/u, '') : text
  return opener && second < 0.1 ? `${opener.replace(/[.!?。！？।؟]+$/u, '')}, ${bare}` : bare
}

export function drawExample(
  languages: readonly Language[],
  splits: readonly Split[],
  random: RandomStream,
): Example {
  for (;;) {
    // English is drawn twice as often as any other language.
    const at = random.integer(languages.length + 1)
    const language = languages[at] ?? languages.find(({ name }) => name === 'en')!
    const kind = DRAWN[random.integer(DRAWN.length)]!
    const text = sentence(language, kind, splits, random)
    if (text === null) continue
    const opener = kind in KINDS ? sentence(language, 'opener', splits, random) : null
    return { text: vary(text, opener, random), target: CLASSES.indexOf(KINDS[kind]!) }
  }
}

/** Adds the gradient of −log p(target) / batch. */
function addGradient(
  state: OptimizerState,
  gradient: Float32Array,
  { found, target }: { readonly found: Uint32Array; readonly target: number },
  batch: number,
): void {
  const bias = [...state.parameters.subarray(WEIGHTS)]
  const logits = logitsOf({ weights: state.parameters, scale: 1, bias }, found)
  softmax(logits)
  const errors = logits.map((p, c) => (p - (c === target ? 1 : 0)) / batch)
  const factor = 1 / Math.sqrt(Math.max(1, found.length))
  for (const bucket of found) {
    for (let c = 0; c < 4; c++) gradient[4 * bucket + c]! += errors[c]! * factor
  }
  errors.forEach((error, c) => (gradient[WEIGHTS + c]! += error))
}

async function fitWeights(
  languages: readonly Language[],
  splits: readonly Split[],
  config: SemanticTraining,
): Promise<Omit<SemanticModel, 'calibration'>> {
  const random = randomStream(config.seed, `semantic judge ${splits.join(' ')}`)
  const size = WEIGHTS + CLASSES.length
  const parameters = new Float32Array(size)
  const state: OptimizerState = {
    parameters,
    firstMoment: new Float32Array(size),
    secondMoment: new Float32Array(size),
    step: 0,
  }
  const groups = [
    { start: 0, end: WEIGHTS, learningRateScale: 1, decays: true },
    { start: WEIGHTS, end: size, learningRateScale: 1, decays: false },
  ]
  const adam = { beta1: 0.9, beta2: 0.99, epsilon: 1e-8, weightDecay: config.weightDecay }
  for (let step = 0; step < config.steps; step++) {
    const gradient = new Float32Array(size)
    for (let i = 0; i < config.batch; i++) {
      const { text, target } = drawExample(languages, splits, random)
      const kept = features(text).filter(() => random.uniform() >= config.dropout)
      addGradient(state, gradient, { found: kept, target }, config.batch)
    }
    const rate = config.learningRate * (1 - step / config.steps)
    await adamW(state, gradient, adam, groups, rate, 1)
  }
  return quantised(parameters)
}

/** int8 with one scale. */
function quantised(parameters: Float32Array): Omit<SemanticModel, 'calibration'> {
  const weights = parameters.subarray(0, WEIGHTS)
  const scale = weights.reduce((most, w) => Math.max(most, Math.abs(w)), 0) / 127
  return {
    weights: Int8Array.from(weights, (w) => Math.round(w / scale)),
    scale,
    bias: [...parameters.subarray(WEIGHTS)],
  }
}

export const calibrationReplies = (languages: readonly Language[], seed: number): Composed[] =>
  compose(languages, ['calibration'], 6, randomStream(seed, 'semantic judge calibration'))

/** Logistic regression by gradient descent on the evidence of composed replies; partial ones are left out. */
export function calibrate(
  classifier: (segment: string) => Probabilities,
  replies: readonly Composed[],
): SemanticModel['calibration'] {
  const rows = replies.flatMap(({ outcome, text }) => {
    const found = outcome === 'partial' ? null : evidence(classifier, text)
    return found ? [{ x: [1, found.balance], y: outcome === 'refusal' ? 1 : 0 }] : []
  })
  const b = [0, 0]
  for (let i = 0; i < 3000; i++) {
    const slope = [0, 0]
    for (const { x, y } of rows) {
      const p = 1 / (1 + Math.exp(-x.reduce((sum, value, j) => sum + value * b[j]!, 0)))
      x.forEach((value, j) => (slope[j]! += (p - y) * value))
    }
    slope.forEach((value, j) => (b[j]! -= (0.2 * value) / rows.length))
  }
  return { intercept: b[0]!, slope: b[1]! }
}

/** Calibrates a model that has not seen the calibration frames, then trains on all frames but those held out. */
export async function trainSemantic(
  languages: readonly Language[],
  config: SemanticTraining = TRAINING,
): Promise<SemanticModel> {
  const without = await fitWeights(languages, ['training'], config)
  const replies = calibrationReplies(languages, config.seed)
  const calibration = calibrate((segment) => classify(without, segment), replies)
  const whole = await fitWeights(languages, READ_SPLITS, config)
  return { ...whole, calibration }
}
