/**
 * @file LoRA on a frozen two-layer network: the base learns the digits, its adapters learn each digit's successor (9 → 0) from
 * few rows with label noise. W + B·A in both layers, A and B started as PEFT does (A uniform ± 1/√in, B zero), scale 1.
 */
import { z } from 'zod'
import type { Graph } from '../../../graph/ops/index.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import type { Testbed } from '../testbed.ts'
import { COMMON, layerShapes, twoLayers, twoLayerStart } from './digits.ts'
import { CLASSES, cleanRows, digitRows, PIXELS, TEST_FROM, type Rows } from './rows.ts'
import { joined, type Network, type Tensors } from './side-by-side.ts'
import { sideBySide, trained } from './trial.ts'

/** The base's rows: the last ones before the test. */
const BASE = { samples: 400, epochs: 200, learningRate: 0.01 }
const BASE_FROM = TEST_FROM - BASE.samples

const Config = z.object({
  rank: z.int().min(1).max(256).default(8).describe('rank of the adapters (the capacity)'),
  width: z.int().min(1).max(512).default(64).describe('hidden units of the frozen base'),
  ...COMMON,
  samples: z.int().min(10).max(BASE_FROM).default(200).describe('rows that the adapters learn'),
})
type Config = z.infer<typeof Config>

export const digitsLora: Testbed<Config> = {
  name: 'digits-lora',
  title: 'LoRA on a frozen network of 8 × 8 digits',
  version: '1',
  source: 'Hu et al. 2021; Nakkiran et al. 2019; data Alpaydin and Kaynak 1998',
  config: Config,
  ...sideBySide(async (config, seeds, signal) => {
    const { rank, width, learningRate, weightDecay } = config
    const base = await trained(baseStart(width, seeds), BASE.epochs, signal)
    const rows = seeds.map((seed) => digitRows(config, seed))
    const start = {
      network: adapted(width, rank),
      tensors: { ...base, ...adapterStart(width, rank, seeds) },
      rows: rows.map(({ train }) => successors(train)),
      learningRate,
      weightDecay,
    }
    return { start, test: rows.map(({ test }) => successors(test)), ...config }
  }),
}

const successors = ({ x, labels }: Rows): Rows => ({
  x,
  labels: labels.map((label) => (label + 1) % CLASSES),
})

const baseStart = (width: number, seeds: readonly number[]) => ({
  network: twoLayers(width),
  tensors: twoLayerStart(width, seeds),
  rows: seeds.map((seed) => cleanRows(seed, BASE_FROM, TEST_FROM)),
  learningRate: BASE.learningRate,
  weightDecay: 0,
})

function adapted(width: number, rank: number): Network {
  const plain = twoLayers(width)
  return {
    trained: { A1: [rank, PIXELS], B1: [width, rank], A2: [rank, width], B2: [CLASSES, rank] },
    frozen: layerShapes(width),
    logits(g: Graph, tensors, x) {
      const { W1, A1, B1, W2, A2, B2 } = tensors
      const merged = {
        W1: g.add(W1!, g.matMul(B1!, A1!)),
        W2: g.add(W2!, g.matMul(B2!, A2!)),
      }
      return plain.logits(g, { ...tensors, ...merged }, x)
    },
  }
}

function adapterStart(width: number, rank: number, seeds: readonly number[]): Tensors {
  const streams = seeds.map((seed) => randomStream(seed, 'digits adapters'))
  const A = (inputs: number) => joined([rank, inputs], streams.map(uniform(rank * inputs, inputs)))
  const B = (outputs: number) =>
    joined(
      [outputs, rank],
      seeds.map(() => new Float32Array(outputs * rank)),
    )
  return { A1: A(PIXELS), B1: B(width), A2: A(width), B2: B(CLASSES) }
}

const uniform = (length: number, inputs: number) => (stream: RandomStream) =>
  Float32Array.from({ length }, () => (2 * stream.uniform() - 1) / Math.sqrt(inputs))
