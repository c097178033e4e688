/** @file Opens a piece of work on our engine, the way the product runs it, and repeats it on request. */
import { anyMethod, type AnyMethod } from '../../evals/finetune/method.ts'
import { full } from '../../evals/finetune/full.ts'
import { lora } from '../../evals/finetune/lora.ts'
import type { ParameterTable } from '../../evals/finetune/parameters.ts'
import { openTraining, type TrainingSession } from '../../evals/finetune/train-graph.ts'
import { newOptimizerState, train, TrainingConfig } from '../../evals/finetune/train.ts'
import { openHfCheckpoint } from '../../evals/models/hf-folder.ts'
import { readPeftFolder } from '../../evals/models/peft-folder.ts'
import { recognise, type Model } from '../../evals/models/registry.ts'
import type { Device } from '../../evals/runtime/device.ts'
import { openEqual, openMixed } from './open-generation.ts'
import { equalLengths, LORA, STEP_TOKENS, tokenRows, type Outcome, type WorkName } from './works.ts'

export interface OpenWork {
  /** ONNX nodes of the graph as we wrote it. */
  readonly nodes: number
  /** From weights in memory to a session that can run. */
  readonly buildMs: number
  repeat(): Promise<Outcome>
  release(): Promise<void>
}

export interface WorkOptions {
  readonly model: string
  readonly adapter?: string
  readonly device: Device
}

/** The peer's optimiser: the same numbers, and decay on every matrix. */
const TRAINING = TrainingConfig.parse({
  steps: 1_000_000,
  batchSize: STEP_TOKENS.rows,
  learningRate: 1e-3,
  schedule: 'constant',
  warmupSteps: 0,
  weightDecay: 0.01,
  maxGradientNorm: 1,
})

export async function openWork(work: WorkName, options: WorkOptions): Promise<OpenWork> {
  const loaded = await readWeights(options.model)
  if (work === 'generate') return openEqual(loaded, options.device)
  if (work === 'generate-mixed') return openMixed(loaded, options.device)
  return work === 'lora-step'
    ? openSteps(loaded, anyMethod(lora), lora.config.parse(LORA), options)
    : openSteps(loaded, anyMethod(full), full.config.parse({ learningRateScale: 1 }), options)
}

export interface Loaded {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly vocab: number
}

async function readWeights(folder: string): Promise<Loaded> {
  const checkpoint = await openHfCheckpoint(folder)
  try {
    const model = recognise(checkpoint)
    const weights = new Map<string, Float32Array>()
    for (const name of model.weights.keys()) weights.set(name, await checkpoint.read(name))
    return { model, weights, vocab: Number(checkpoint.config.vocab_size) }
  } finally {
    await checkpoint.close()
  }
}

async function openSteps(
  { model, weights, vocab }: Loaded,
  method: AnyMethod,
  methodConfig: unknown,
  { adapter, device }: WorkOptions,
): Promise<OpenWork> {
  const started = performance.now()
  const maxPositions = STEP_TOKENS.length
  const opened = await openTraining({
    ...{ model, weights, method, methodConfig, device, maxPositions },
    seed: 1,
  })
  const buildMs = performance.now() - started
  const { session, gradientMs } = timed(opened)
  const parameters = adapter ? await readAdapter(adapter, session.table) : session.parameters
  const examples = tokenRows(equalLengths(STEP_TOKENS), vocab).map((ids) => ({
    ids,
    labelled: ids.map((_, t) => t > 0),
  }))
  const steps = train(newOptimizerState(parameters), {
    ...{ session, method, examples, config: TRAINING },
    padId: 0,
    seed: 1,
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
