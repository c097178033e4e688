/**
 * @file Rough estimate of run time: floating-point operations over a rate measured on this machine, plus a constant per pass.
 * Accurate to a factor of two or three; meant to tell minutes from hours.
 */
import { wantsAll } from '../../spectra/directions.ts'
import { secondsPerCube } from '../../spectra/scan-lanes.ts'
import { createGraph } from '../../graph/ops/index.ts'
import type { WeightSpec } from '../../models/architecture.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import { createRunner } from '../../runtime/session.ts'

const SIDE = 768
const REPEATS = 6
/** Rate inside a model, forward and backward, relative to that of a large product. */
const EFFICIENCY = 0.6
/** Nodes of a layer, and ONNX Runtime's overhead per node in seconds. */
const NODES_PER_LAYER = 60
const SECONDS_PER_NODE = 12e-6
/** Lower bound of a pass over a few rows: reading the weights once. */
const BYTES_PER_SECOND = 8e9
/** Seconds of a random update `[m, n]` of rank r and its leading directions, over m·n·r (null-counts.ts, 256 × 256 × 256). */
const SECONDS_PER_DRAW = 6e-9
/** The rank that is reckoned for an adapter whose files were not opened. */
const USUAL_RANK = 16

export interface WorkSize {
  readonly parameters: number
  readonly layers: number
  readonly matrices: readonly (readonly [number, number])[]
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
    matrices: inBlocks.map(({ shape }) => [shape[0]!, shape[1]!] as const),
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

/** Of adapters of this rank on every matrix. */
export const adapterNumbers = ({ matrices }: WorkSize, rank: number): number =>
  matrices.reduce((sum, [outputs, inputs]) => sum + rank * (outputs + inputs), 0)

/**
 * Steps of `tokens` tokens each: two operations per parameter forward and four backward (two for frozen weights).
 *
 * @param added numbers that are trained beside frozen weights
 */
export function trainingSeconds(
  size: WorkSize,
  rate: number,
  steps: number,
  tokens: number,
  frozen: boolean,
  added = 0,
): number {
  const operations = ((frozen ? 4 : 6) * size.parameters + 6 * added) * tokens * steps
  return operations / (EFFICIENCY * rate) + 3 * overhead(size, steps)
}

export interface AnswersToWrite {
  readonly prompts: number
  readonly promptTokens: number
  readonly newTokens: number
  readonly batchSize: number
}

/** Reading the prompts, then one pass per token for each batch. */
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

interface SpectraToTake {
  readonly tuned: number
  /** Of `tuned`, those whose change is of full rank. */
  readonly whole: number
  /** Random updates of each matrix of each fine-tune. */
  readonly draws: number
  readonly detail: Parameters<typeof wantsAll>[1]
}

/** The base once, then every fine-tune with its random updates. */
export const spectraSeconds = (
  { matrices }: Pick<WorkSize, 'matrices'>,
  { tuned, whole, draws, detail }: SpectraToTake,
): number =>
  matrices.reduce((sum, shape) => {
    const [short, area] = [Math.min(...shape), shape[0] * shape[1]]
    const ofWhole = wantsAll(shape, detail) ? whole * short : 0
    const ranks = ofWhole + (tuned - whole) * Math.min(USUAL_RANK, short)
    const scan = secondsPerCube() * short * (1 + tuned / 2)
    return sum + area * (scan + SECONDS_PER_DRAW * draws * ranks)
  }, 0)
