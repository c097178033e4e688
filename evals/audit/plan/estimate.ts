/**
 * @file How long work will take, roughly, before it is begun: floating-point operations over a rate measured on this machine just now,
 * plus what each pass costs however small the model is. Meant to tell minutes from hours; within a factor of two or three.
 */
import { createGraph } from '../../graph/ops/index.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import { createRunner } from '../../runtime/session.ts'

const SIDE = 768
const REPEATS = 6
/** What a kernel reaches of a large product's rate inside a model, forward and backward. */
const EFFICIENCY = 0.6
/** Nodes of a layer, and seconds that ONNX Runtime spends around each. */
const NODES_PER_LAYER = 60
const SECONDS_PER_NODE = 12e-6
/** Reading weights once, for a pass over a few rows. */
const BYTES_PER_SECOND = 8e9
/** Seconds of an n × n eigenproblem and its products in TypeScript, over n³. */
const SECONDS_PER_CUBE = 1.6e-9

export interface WorkSize {
  readonly parameters: number
  readonly layers: number
  readonly matrices: readonly (readonly number[])[]
}

export function workSize(weights: ReadonlyMap<string, WeightSpec>): WorkSize {
  const specs = [...weights.values()]
  const inBlocks = specs.filter(({ layer, module }) => layer !== undefined && module !== undefined)
  return {
    parameters: specs.reduce(
      (sum, { shape }) => sum + shape.reduce((product, size) => product * size, 1),
      0,
    ),
    layers: new Set(inBlocks.map(({ layer }) => layer)).size,
    matrices: inBlocks.map(({ shape }) => shape),
  }
}

/** Floating-point operations a second of a square float32 product on this device. */
export async function measureRate(device: Device): Promise<number> {
  const g = createGraph(dialectOf(device))
  const a = g.input('a', 'float32', [SIDE, SIDE])
  const runner = await createRunner(g, { y: g.matMul(a, a) }, { device, purpose: 'train' })
  const feeds = { a: { data: new Float32Array(SIDE * SIDE).fill(0.5), dims: [SIDE, SIDE] } }
  await runner.run(feeds)
  const began = performance.now()
  for (let i = 0; i < REPEATS; i++) await runner.run(feeds)
  const seconds = (performance.now() - began) / 1000
  await runner.release()
  return (2 * SIDE ** 3 * REPEATS) / seconds
}

const overhead = ({ layers }: WorkSize, passes: number) =>
  passes * layers * NODES_PER_LAYER * SECONDS_PER_NODE

/** Steps of `tokens` tokens each: two operations a parameter forward and four backward (two where weights are frozen). */
export function trainingSeconds(
  size: WorkSize,
  rate: number,
  steps: number,
  tokens: number,
  frozen: boolean,
): number {
  const operations = (frozen ? 4 : 6) * size.parameters * tokens * steps
  return operations / (EFFICIENCY * rate) + 3 * overhead(size, steps)
}

export interface AnswersToWrite {
  readonly prompts: number
  readonly promptTokens: number
  readonly newTokens: number
  readonly batchSize: number
}

/** Reading the prompts, then one pass a token over each batch. */
export function generationSeconds(
  size: WorkSize,
  rate: number,
  { prompts, promptTokens, newTokens, batchSize }: AnswersToWrite,
): number {
  const perToken = (2 * size.parameters) / (EFFICIENCY * rate)
  const batches = Math.ceil(prompts / batchSize)
  const pass = Math.max(
    Math.min(batchSize, prompts) * perToken,
    (4 * size.parameters) / BYTES_PER_SECOND,
  )
  return (
    prompts * promptTokens * perToken +
    batches * newTokens * pass +
    overhead(size, batches * (newTokens + 1))
  )
}

/** The base once, then each fine-tune. */
export const spectraSeconds = ({ matrices }: WorkSize, tuned: number): number =>
  matrices.reduce((sum, shape) => sum + Math.min(...shape) ** 2 * Math.max(...shape), 0) *
  SECONDS_PER_CUBE *
  (1 + tuned / 2)
