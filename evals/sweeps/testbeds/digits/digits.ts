/**
 * @file A two-layer network on the optical digits, with label noise: double descent over width, epochs and samples
 * (docs/methods/double-descent.md). logits = max(0, W₁x + b₁)ᵀW₂ᵀ + b₂; the seeds of a place are trained side by side.
 */
import { z } from 'zod'
import type { Graph } from '../../../graph/ops/index.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import type { Testbed } from '../testbed.ts'
import { CLASSES, digitRows, PIXELS } from './rows.ts'
import { joined, type Network } from './side-by-side.ts'
import { sideBySide } from './trial.ts'

/** Settings that every network on the digits has. */
export const COMMON = {
  labelNoise: z
    .number()
    .min(0)
    .max(1)
    .default(0)
    .describe('share of training labels that are wrong'),
  samples: z.int().min(10).max(1500).default(800).describe('training rows of 1,797'),
  epochs: z.int().min(1).max(100_000).default(2000).describe('full-batch steps of Adam'),
  firstLook: z.int().min(1).default(1).describe('epoch of the first of 25 measurements'),
  learningRate: z.number().positive().max(1).default(0.01).describe('of Adam, constant'),
  weightDecay: z.number().min(0).max(1).default(0).describe('λ of λ/2·‖θ‖² in the loss'),
}

const Config = z.object({
  width: z.int().min(1).max(512).default(32).describe('hidden units (the capacity)'),
  initialScale: z
    .number()
    .positive()
    .max(10)
    .default(1)
    .describe('factor of the weights at the start'),
  ...COMMON,
})
type Config = z.infer<typeof Config>

export const digits: Testbed<Config> = {
  name: 'digits',
  title: 'Two-layer network on 8 × 8 digits',
  version: '1',
  source: 'Nakkiran et al. 2019; data Alpaydin and Kaynak 1998',
  config: Config,
  ...sideBySide(async (config, seeds) => {
    const { width, initialScale, learningRate, weightDecay } = config
    const rows = seeds.map((seed) => digitRows(config, seed))
    const start = {
      network: twoLayers(width),
      tensors: twoLayerStart(width, seeds, initialScale),
      rows: rows.map(({ train }) => train),
      learningRate,
      weightDecay,
    }
    return Promise.resolve({ start, test: rows.map(({ test }) => test), ...config })
  }),
}

const layerShapes = (width: number) => ({
  W1: [width, PIXELS],
  b1: [1, width],
  W2: [CLASSES, width],
  b2: [1, CLASSES],
})

export const twoLayers = (width: number): Network => ({
  trained: layerShapes(width),
  logits(g: Graph, { W1, b1, W2, b2 }, x) {
    const hidden = g.relu(g.add(g.matMulT(x, W1!), b1!))
    return g.add(g.matMulT(hidden, W2!), b2!)
  },
})

/** He et al. 2015, times `scale`: W ~ N(0, scale² · 2 / inputs of the layer); biases 0. */
export function twoLayerStart(width: number, seeds: readonly number[], scale = 1) {
  const streams = seeds.map((seed) => randomStream(seed, 'digits weights'))
  const layer = (outputs: number, inputs: number) => [
    joined(
      [outputs, inputs],
      streams.map(normals(outputs * inputs, scale * Math.sqrt(2 / inputs))),
    ),
    joined(
      [1, outputs],
      streams.map(() => new Float32Array(outputs)),
    ),
  ]
  const [W1, b1] = layer(width, PIXELS)
  const [W2, b2] = layer(CLASSES, width)
  return { W1: W1!, b1: b1!, W2: W2!, b2: b2! }
}

const normals = (length: number, sd: number) => (stream: RandomStream) =>
  Float32Array.from({ length }, () => sd * stream.normal())
