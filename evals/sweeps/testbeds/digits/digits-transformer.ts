/**
 * @file A small transformer on the optical digits, with label noise: the eight rows of a picture are its tokens. One block with
 * one head and residuals, no normalisation, logits from the mean state; the seeds of a place are trained side by side.
 *
 *     h₀ = E·token + p      h₁ = h₀ + O·softmax(QKᵀ/√d)·V      h₂ = h₁ + D·max(0, U·h₁ + u)      logits = C·mean(h₂) + c
 */
import { z } from 'zod'
import type { Graph } from '../../../graph/ops/index.ts'
import { multiply } from '../../../graph/shape.ts'
import type { Value } from '../../../graph/value.ts'
import { randomStream } from '../../../statistics/random.ts'
import type { Testbed } from '../testbed.ts'
import { COMMON } from './digits.ts'
import { CLASSES, digitRows, PIXELS } from './rows.ts'
import { joined, type Network, type Tensors } from './side-by-side.ts'
import { sideBySide } from './trial.ts'

const TOKENS = 8
const INPUTS = PIXELS / TOKENS
/** Units of the block's network for each of a state. */
const EXPANSION = 2

const Config = z.object({
  width: z.int().min(1).max(128).default(8).describe('numbers in a token’s state (the capacity)'),
  ...COMMON,
  samples: COMMON.samples.default(400),
})
type Config = z.infer<typeof Config>

export const digitsTransformer: Testbed<Config> = {
  name: 'digits-transformer',
  title: 'Small transformer on 8 × 8 digits',
  version: '1',
  source: 'Nakkiran et al. 2019, §5; data Alpaydin and Kaynak 1998',
  config: Config,
  ...sideBySide(async (config, seeds) => {
    const { width, learningRate, weightDecay } = config
    const rows = seeds.map((seed) => digitRows(config, seed))
    const start = {
      network: transformer(width),
      tensors: transformerStart(width, seeds),
      rows: rows.map(({ train }) => train),
      learningRate,
      weightDecay,
    }
    return Promise.resolve({ start, test: rows.map(({ test }) => test), ...config })
  }),
}

const shapesOf = (d: number) => ({
  E: [d, INPUTS],
  p: [TOKENS, d],
  Q: [d, d],
  K: [d, d],
  V: [d, d],
  O: [d, d],
  U: [EXPANSION * d, d],
  u: [1, EXPANSION * d],
  D: [d, EXPANSION * d],
  C: [CLASSES, d],
  c: [1, CLASSES],
})

export const transformer = (d: number): Network => ({
  trained: shapesOf(d),
  logits(g: Graph, { E, p, Q, K, V, O, U, u, D, C, c }, x) {
    const [seeds, rows] = x.shape as [number, number | string]
    const flat = (h: Value) => g.reshape(h, [seeds, multiply(TOKENS, rows), h.shape.at(-1)!])
    const byRow = (h: Value) => g.reshape(h, [seeds, rows, TOKENS, d])
    const tokens = g.reshape(x, [seeds, multiply(TOKENS, rows), INPUTS])
    const places = g.reshape(p!, [seeds, 1, TOKENS, d])
    const h0 = flat(g.add(byRow(g.matMulT(tokens, E!)), places))
    const [q, k, v] = [Q, K, V].map((W) => byRow(g.matMulT(h0, W!)))
    const scores = g.mul(g.matMulT(q!, k!), g.scalar(1 / Math.sqrt(d)))
    const mixed = flat(g.matMul(g.softmax(scores), v!))
    const h1 = g.add(h0, g.matMulT(mixed, O!))
    const h2 = g.add(h1, g.matMulT(g.relu(g.add(g.matMulT(h1, U!), u!)), D!))
    const sum = g.reduceSum(byRow(h2), [2], { keepDims: false })
    return g.add(g.matMulT(g.mul(sum, g.scalar(1 / TOKENS)), C!), c!)
  },
})

/** W ~ N(0, 1 / inputs), with 2 / inputs before the ReLU (He et al. 2015); p as E; biases 0. */
export function transformerStart(d: number, seeds: readonly number[]): Tensors {
  const streams = seeds.map((seed) => randomStream(seed, 'digits transformer'))
  const deviation = (name: string, inputs: number) => {
    if (name === 'u' || name === 'c') return 0
    return Math.sqrt((name === 'U' ? 2 : 1) / (name === 'p' ? INPUTS : inputs))
  }
  const entries = Object.entries(shapesOf(d)).map(([name, shape]) => {
    const [outputs, inputs] = shape as [number, number]
    const sd = deviation(name, inputs)
    const drawn = streams.map((stream) =>
      Float32Array.from({ length: outputs * inputs }, () => (sd === 0 ? 0 : sd * stream.normal())),
    )
    return [name, joined(shape, drawn)] as const
  })
  return Object.fromEntries(entries)
}
