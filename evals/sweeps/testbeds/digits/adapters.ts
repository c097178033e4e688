/**
 * @file LoRA on matrices of a frozen network, seeds side by side: W + B·A, A `[rank, in]` and B `[out, rank]` started as PEFT does
 * (A uniform ± 1/√in, B zero), scale 1. What the adapters learn is each digit's successor (9 → 0), from few rows with label noise.
 */
import { z } from 'zod'
import type { Graph } from '../../../graph/ops/index.ts'
import { randomStream, type RandomStream } from '../../../statistics/random.ts'
import { COMMON } from './digits.ts'
import { CLASSES, cleanRows, digitRows, TEST_FROM, type Rows } from './rows.ts'
import { joined, type Network, type Tensors } from './side-by-side.ts'
import { trained, type Trial } from './trial.ts'

/** The base's rows: the last ones before the test. */
const BASE = { samples: 400, epochs: 200, learningRate: 0.01 }
const BASE_FROM = TEST_FROM - BASE.samples

/** Settings of adapters beside the base's width. */
export const ADAPTER_FIELDS = {
  rank: z.int().min(1).max(256).default(8).describe('rank of the adapters (the capacity)'),
  ...COMMON,
  samples: z.int().min(10).max(BASE_FROM).default(200).describe('rows that the adapters learn'),
}
type Settings = z.infer<z.ZodObject<typeof ADAPTER_FIELDS>>

interface Frozen {
  readonly network: Network
  /** At its start, `[seeds, ...]`. */
  readonly tensors: Tensors
  /** Matrices that have adapters. */
  readonly adapted: readonly string[]
  /** Names the random streams of the adapters. */
  readonly stream: string
}

/** Trains the base of each seed on clean rows, and lets adapters learn the successors from others. */
export async function adapterTrial(
  { network, tensors, adapted, stream }: Frozen,
  config: Settings,
  seeds: readonly number[],
  signal: AbortSignal,
): Promise<Trial> {
  const { learningRate, weightDecay } = config
  const baseStart = {
    network,
    tensors,
    rows: seeds.map((seed) => cleanRows(seed, BASE_FROM, TEST_FROM)),
    learningRate: BASE.learningRate,
    weightDecay: 0,
  }
  const base = await trained(baseStart, BASE.epochs, signal)
  const pairs = pairsOf(network, adapted, config.rank)
  const streams = seeds.map((seed) => randomStream(seed, stream))
  const rows = seeds.map((seed) => digitRows(config, seed))
  const start = {
    network: withPairs(network, pairs),
    tensors: { ...base, ...pairsAtStart(pairs, streams) },
    rows: rows.map(({ train }) => successors(train)),
    ...{ learningRate, weightDecay },
  }
  return { start, test: rows.map(({ test }) => successors(test)), ...config }
}

const successors = ({ x, labels }: Rows): Rows => ({
  x,
  labels: labels.map((label) => (label + 1) % CLASSES),
})

interface Pair {
  readonly matrix: string
  readonly A: readonly [rank: number, inputs: number]
  readonly B: readonly [outputs: number, rank: number]
}

const pairsOf = ({ trained: shapes }: Network, adapted: readonly string[], rank: number): Pair[] =>
  adapted.map((matrix) => {
    const [outputs, inputs] = shapes[matrix] as [number, number]
    return { matrix, A: [rank, inputs], B: [outputs, rank] }
  })

const [A, B] = ['A', 'B'].map((side) => (matrix: string) => `${side}:${matrix}`) as [
  (matrix: string) => string,
  (matrix: string) => string,
]

const withPairs = (plain: Network, pairs: readonly Pair[]): Network => ({
  trained: Object.fromEntries(
    pairs.flatMap((pair) => [
      [A(pair.matrix), pair.A],
      [B(pair.matrix), pair.B],
    ]),
  ),
  frozen: plain.trained,
  logits(g: Graph, tensors, x) {
    const merged = pairs.map(({ matrix }) => {
      const change = g.matMul(tensors[B(matrix)]!, tensors[A(matrix)]!)
      return [matrix, g.add(tensors[matrix]!, change)] as const
    })
    return plain.logits(g, { ...tensors, ...Object.fromEntries(merged) }, x)
  },
})

const pairsAtStart = (pairs: readonly Pair[], streams: readonly RandomStream[]): Tensors =>
  Object.fromEntries(
    pairs.flatMap((pair) => [
      [A(pair.matrix), joined(pair.A, streams.map(uniform(pair.A)))],
      [
        B(pair.matrix),
        joined(
          pair.B,
          streams.map(() => new Float32Array(pair.B[0] * pair.B[1])),
        ),
      ],
    ]),
  )

const uniform =
  ([rank, inputs]: Pair['A']) =>
  (stream: RandomStream) =>
    Float32Array.from(
      { length: rank * inputs },
      () => (2 * stream.uniform() - 1) / Math.sqrt(inputs),
    )
