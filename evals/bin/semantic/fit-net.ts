/** @file Fits the semantic judge's network to replies: AdamW, n-grams and hidden numbers left out at random, the kind taught beside. */
import { adamW, type OptimizerState } from '../../graph/optimizer.ts'
import { inFourBits } from '../../judges/semantic/four-bits.ts'
import { forward, times, withoutPrompt, type Bags, type Net } from '../../judges/semantic/net.ts'
import {
  DENSE,
  DENSE_SIZE,
  HIDDEN,
  opened,
  ROWS,
  stored,
  WIDTH,
  type Shape,
} from '../../judges/semantic/shape.ts'
import { softmax } from '../../judges/semantic/softmax.ts'
import type { RandomStream } from '../../statistics/random.ts'
import { backward, through } from './gradient.ts'

export interface NetTraining {
  /** How often as many replies are drawn as there are. */
  readonly epochs: number
  readonly batch: number
  readonly learningRate: number
  /** The table learns so many times as fast. */
  readonly tableRate: number
  readonly weightDecay: number
  /** Shares of n-grams, of hidden numbers and of prompts that are left out. */
  readonly ngrams: number
  readonly hidden: number
  readonly prompts: number
  /** What the kind's loss weighs. */
  readonly kinds: number
  /** Share of the target that is spread over all outcomes. */
  readonly spread: number
}

export interface NetExample extends Bags {
  readonly target: number
  readonly kind: number
  /** How often it is drawn. */
  readonly weight: number
}

const TABLE = ROWS * WIDTH
const WARM_UP = 100
const ADAM = { beta1: 0.9, beta2: 0.98, epsilon: 1e-8 }

/** One step's view of a flat vector: the table, the dense weights, the head that tells kinds. */
const views = (flat: Float32Array) => ({
  ...{ table: flat.subarray(0, TABLE), dense: flat.subarray(TABLE, TABLE + DENSE_SIZE) },
  kinds: flat.subarray(TABLE + DENSE_SIZE),
})

export async function fitNet(
  examples: readonly NetExample[],
  config: NetTraining,
  random: RandomStream,
): Promise<Net> {
  const kinds = 1 + Math.max(...examples.map(({ kind }) => kind))
  const head: Shape = { at: 0, rows: kinds, columns: HIDDEN + 1, inputs: HIDDEN }
  const parameters = started(kinds, random)
  const size = parameters.length
  const moments = { firstMoment: new Float32Array(size), secondMoment: new Float32Array(size) }
  const state: OptimizerState = { parameters, ...moments, step: 0 }
  const groups = [
    { start: 0, end: TABLE, learningRateScale: config.tableRate, decays: true },
    { start: TABLE, end: size, learningRateScale: 1, decays: true },
  ]
  const own = { ...views(parameters), scale: 1 }
  const draw = drawn(examples, random)
  const gradient = new Float32Array(size)
  const into = views(gradient)
  const steps = Math.ceil((config.epochs * examples.length) / config.batch)
  const mask = (all: Float32Array) => thin(all, config.hidden, random)
  const told = { values: new Float32Array(kinds), at: 0 }
  for (let step = 0; step < steps; step++) {
    gradient.fill(0)
    for (let i = 0; i < config.batch; i++) {
      const example = thinned(draw(), config, random)
      const passed = forward(own, example, mask)
      const logitErrors = lossErrors(passed.logits, example.target, config.spread)
      times(own.kinds, head, { values: passed.last, at: 0 }, told)
      const errors = lossErrors(told.values, example.kind, 0).map((e) => config.kinds * e)
      const by = { dense: own.kinds, gradient: into.kinds, shape: head }
      const lastErrors = through(by, passed.last, errors)
      backward(own, example, passed, { logitErrors, lastErrors }, into)
    }
    const rate = config.learningRate * Math.min(1, (step + 1) / WARM_UP) * (1 - step / steps)
    const adam = { ...ADAM, weightDecay: config.weightDecay }
    await adamW(state, gradient, adam, groups, rate, 1 / config.batch)
  }
  return quantised(own.table, own.dense)
}

function started(kinds: number, random: RandomStream): Float32Array {
  const parameters = new Float32Array(TABLE + DENSE_SIZE + kinds * (HIDDEN + 1))
  for (let i = 0; i < TABLE; i++) parameters[i] = 0.02 * random.normal()
  const spans = [
    ...Object.values(DENSE).map(({ at, rows, columns }) => ({ at, size: rows * columns, columns })),
    { at: DENSE_SIZE, size: kinds * (HIDDEN + 1), columns: HIDDEN + 1 },
  ]
  for (const { at, size, columns } of spans)
    for (let i = 0; i < size; i++)
      parameters[TABLE + at + i] = (2 * random.uniform() - 1) / Math.sqrt(columns)
  return parameters
}

/** Draws examples in proportion to their weights. */
function drawn(examples: readonly NetExample[], random: RandomStream): () => NetExample {
  let total = 0
  const ends = Float64Array.from(examples, ({ weight }) => (total += weight))
  return () => {
    const at = random.uniform() * total
    let [low, high] = [0, ends.length - 1]
    while (low < high) {
      const middle = (low + high) >> 1
      if (ends[middle]! > at) high = middle
      else low = middle + 1
    }
    return examples[low]!
  }
}

function thinned(example: NetExample, config: NetTraining, random: RandomStream): NetExample {
  const keep = (found: Uint32Array) => found.filter(() => random.uniform() >= config.ngrams)
  const segments = example.segments.map(keep)
  if (!example.prompt || random.uniform() < config.prompts)
    return { ...example, ...withoutPrompt(segments), segments }
  return { ...example, segments, prompt: keep(example.prompt) }
}

function thin(all: Float32Array, share: number, random: RandomStream): void {
  for (let i = 0; i < all.length; i++) all[i] = random.uniform() < share ? 0 : all[i]! / (1 - share)
}

/** The gradient of the cross-entropy in the logits. */
function lossErrors(logits: Float32Array, target: number, spread: number): Float32Array {
  const p = [...logits]
  softmax(p)
  const wanted = (c: number) => spread / p.length + (c === target ? 1 - spread : 0)
  return Float32Array.from(p, (value, c) => value - wanted(c))
}

/** Rounded as it is stored. */
function quantised(own: Float32Array, dense: Float32Array): Net {
  const { weights: table, scale } = inFourBits(own)
  return { table, scale, dense: opened(stored(dense)) }
}
