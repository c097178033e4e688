/** @file Opens a piece of work on our engine, the way the product runs it, and repeats it on request. */
import {
  countLabelled,
  longestRow,
  makeBatch,
  type Example,
} from '../../../evals/finetune/training/dataset.ts'
import { bind, type BoundMethod } from '../../../evals/finetune/method.ts'
import { full } from '../../../evals/finetune/methods/full.ts'
import type { Forward } from '../../../evals/finetune/training/int8-forward.ts'
import { lora } from '../../../evals/finetune/methods/lora.ts'
import type { ParameterTable } from '../../../evals/finetune/training/parameters.ts'
import type { TrainingSession } from '../../../evals/finetune/training/session.ts'
import { openTraining, type TrainingOptions } from '../../../evals/finetune/training/train-graph.ts'
import { newOptimizerState, train, TrainingConfig } from '../../../evals/finetune/training/train.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { openHfCheckpoint } from '../../../evals/models/formats/hf-folder.ts'
import { weightsOf } from '../../../evals/models/load.ts'
import { recognise, type Model } from '../../../evals/models/registry.ts'
import type { Precision } from '../../../evals/models/weights/small-weights.ts'
import type { Device } from '../../../evals/runtime/device.ts'
import { meanOf } from '../../../evals/statistics/summary.ts'
import { deviationOf, type Deviation } from './deviation.ts'
import { openEqual, openMixed } from './open-generation.ts'
import { taskExamples } from './task-inputs.ts'
import {
  CHAT,
  chatRows,
  equalLengths,
  LORA,
  STEPS_IN_A_ROW,
  STEP_TOKENS,
  tokenRows,
  type Outcome,
  type WorkName,
} from './works.ts'

export interface OpenWork {
  /** ONNX nodes of the graph as we wrote it. */
  readonly nodes: number
  /** From weights in memory to a session that can run. */
  readonly buildMs: number
  repeat(): Promise<Outcome>
  /** Of work whose forward is approximate. */
  deviation?(): Promise<Deviation>
  release(): Promise<void>
}

interface WorkOptions {
  readonly model: string
  readonly adapter?: string
  readonly checkpointing: boolean
  readonly precision: Precision
  readonly forward?: Forward
  readonly device: Device
}

/** The peer's optimiser: the same numbers, and decay on every matrix. */
const OPTIMISER = {
  steps: 1_000_000,
  learningRate: 1e-3,
  schedule: 'constant',
  warmupSteps: 0,
  weightDecay: 0.01,
  maxGradientNorm: 1,
} as const

interface Learning {
  readonly method: BoundMethod
  readonly examples: (vocab: number) => readonly Example[]
  readonly longest: number
  readonly config: TrainingConfig
}

const ofOneLength = (tokens: { readonly rows: number; readonly length: number }) => ({
  examples: (vocab: number) =>
    tokenRows(equalLengths(tokens), vocab).map((ids) => ({
      ids,
      labelled: ids.map((_, t) => t > 0),
    })),
  longest: tokens.length,
  config: TrainingConfig.parse({ ...OPTIMISER, batchSize: tokens.rows }),
})
const rowsOfOneLength = ofOneLength(STEP_TOKENS)
const byLora = { method: bind(lora, LORA) }

type OfTokens = Exclude<WorkName, 'generate' | 'generate-mixed' | 'task-step'>

const LEARNING: Readonly<Record<OfTokens, Learning>> = {
  'lora-step': { ...byLora, ...rowsOfOneLength },
  'lora-chat': {
    ...byLora,
    examples: chatRows,
    longest: CHAT.longest,
    config: TrainingConfig.parse({ ...OPTIMISER, batchSize: CHAT.rowsPerStep, packing: true }),
  },
  'full-step': {
    method: bind(full, { learningRateScale: 1 }),
    ...rowsOfOneLength,
  },
}

/** The same rows in each step, so that it does not matter in which order they are read. */
async function learningOfTask(folder: string): Promise<Learning> {
  const rows = await taskExamples(folder)
  const optimiser = { ...OPTIMISER, weightDecay: 0, batchSize: rows.length }
  return {
    method: bind(full, { learningRateScale: 1 }),
    examples: () => rows,
    longest: longestRow(rows),
    config: TrainingConfig.parse(optimiser),
  }
}

export async function openWork(work: WorkName, options: WorkOptions): Promise<OpenWork> {
  const loaded = await readModel(options)
  if (work === 'generate') return openEqual(loaded, options.device)
  if (work === 'generate-mixed') return openMixed(loaded, options.device)
  const learning = work === 'task-step' ? await learningOfTask(options.model) : LEARNING[work]
  const opened = await openSteps(loaded, learning, options)
  return work === 'task-step' ? inARow(opened) : opened
}

const inARow = (work: OpenWork): OpenWork => ({
  ...work,
  async repeat() {
    const steps: Outcome[] = []
    for (let step = 0; step < STEPS_IN_A_ROW; step++) steps.push(await work.repeat())
    const losses = steps.map(({ loss }) => loss!)
    return { ...steps[0]!, ms: meanOf(steps.map(({ ms }) => ms)), losses }
  },
})

/** A LoRA step of another size: α = 2·rank. */
export async function openLoraStep(
  options: WorkOptions,
  { rank, ...tokens }: { readonly rows: number; readonly length: number; readonly rank: number },
): Promise<OpenWork> {
  const learning = { method: bind(lora, { rank, alpha: 2 * rank }), ...ofOneLength(tokens) }
  return openSteps(await readModel(options), learning, options)
}

export interface Loaded {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly vocab: number
}

/** As the product reads it, from a folder that has no tokenizer. The file stays open: weights are read when asked for. */
export async function readModel({
  model,
  precision,
}: Pick<WorkOptions, 'model' | 'precision'>): Promise<Loaded> {
  const checkpoint = await openHfCheckpoint(model)
  const found = recognise(checkpoint)
  const weights = weightsOf(checkpoint, found, precision)
  return { model: found, weights, vocab: Number(checkpoint.config.vocab_size) }
}

function trainingOf(
  { model, weights }: Loaded,
  { method, longest, config }: Learning,
  { device, checkpointing, forward }: WorkOptions,
  rows: readonly Example[],
): TrainingOptions {
  const labelled = (config.batchSize * countLabelled(rows)) / rows.length
  return {
    model,
    weights,
    method,
    device,
    checkpointing,
    labelled,
    oneText: true,
    forward,
    maxPositions: longest,
    seed: 1,
  }
}

/** In a function of its own: what it keeps, a step of other work would hold for nothing. */
function deviating(asked: TrainingOptions, parameters: Float32Array, rows: readonly Example[]) {
  // A training writes to what it is given.
  const first = parameters.slice()
  return { deviation: () => deviationOf(asked, first, makeBatch(rows, 0)) }
}

async function openSteps(
  loaded: Loaded,
  learning: Learning,
  options: WorkOptions,
): Promise<OpenWork> {
  const started = performance.now()
  const { examples, config } = learning
  const rows = examples(loaded.vocab)
  const asked = trainingOf(loaded, learning, options, rows)
  const opened = await openTraining(asked)
  const buildMs = performance.now() - started
  const { session, gradientMs } = timed(opened)
  const { adapter, forward } = options
  const parameters = adapter ? await readAdapter(adapter, session.table) : session.parameters
  const deviation =
    forward === 'int8' ? deviating(asked, parameters, rows.slice(0, config.batchSize)) : {}
  const steps = train(newOptimizerState(parameters), {
    session,
    config,
    examples: rows,
    padId: 0,
    seed: CHAT.seed,
    signal: new AbortController().signal,
    lastGood: () => 'a bench keeps none',
  })
  return {
    nodes: session.nodes,
    buildMs,
    async repeat() {
      const before = performance.now()
      const next = await steps.next()
      const ms = performance.now() - before
      if (next.done) throw new Error('internal: the bench ran out of steps')
      const { loss, gradientNorm } = next.value
      return { ms, loss, gradientNorm, gradientMs: gradientMs() }
    },
    ...deviation,
    release: () => session.release(),
  }
}

/** The same session, and how long its last gradient took. */
function timed(session: TrainingSession) {
  let ms = 0
  const wrapped: TrainingSession = {
    ...session,
    get parameters() {
      return session.parameters
    },
    async gradients(...asked) {
      const started = performance.now()
      const result = await session.gradients(...asked)
      ms = performance.now() - started
      return result
    },
  }
  return { session: wrapped, gradientMs: () => ms }
}

async function readAdapter(folder: string, table: ParameterTable): Promise<Float32Array> {
  const { tensors } = await readPeftFolder(folder)
  const flat = new Float32Array(table.size)
  for (const { name, start } of table.slices) flat.set(tensors.get(name)!.data, start)
  return flat
}
