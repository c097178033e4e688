/** @file A training run of a few milliseconds a step on a random Llama, whole or resumed from a file. */
import { createHash } from 'node:crypto'
import type { Example } from '../../../evals/finetune/training/dataset.ts'
import { bindMethod } from '../../../evals/finetune/registry.ts'
import {
  loadTrainingState,
  saveTrainingState,
  type TrainingState,
} from '../../../evals/finetune/training/state.ts'
import {
  newOptimizerState,
  train,
  TrainingConfig,
  type StepReport,
} from '../../../evals/finetune/training/train.ts'
import type { TrainingSession } from '../../../evals/finetune/training/session.ts'
import { openTraining } from '../../../evals/finetune/training/train-graph.ts'
import type { Device } from '../../../evals/runtime/device.ts'
import { randomIds, tinyModel, type TinyModel } from '../models/tiny-model.ts'

export interface TinyTraining {
  readonly method: string
  readonly methodConfig: object
  readonly config: Partial<TrainingConfig>
  readonly seed: number
  readonly threads: number
  /** The CPU, where nothing is said. */
  readonly device: Device['name']
  readonly tiny: TinyModel
  readonly examples: readonly Example[]
}

/** Eleven examples of 3 to 13 tokens; the first third of each is not labelled. */
export const tinyExamples = (vocab: number): Example[] =>
  Array.from({ length: 11 }, (_, i) => {
    const ids = randomIds(`example ${i}`, 3 + ((i * 7) % 11), vocab)
    return { ids, labelled: ids.map((_, t) => t > 0 && t >= ids.length / 3) }
  })

export const TINY_STEPS = 6

export function tinyTraining(options: Partial<TinyTraining> = {}): TinyTraining {
  const tiny = options.tiny ?? tinyModel()
  return {
    method: 'lora',
    methodConfig: {},
    config: {},
    seed: 5,
    threads: 1,
    device: 'cpu',
    examples: tinyExamples(tiny.options.vocab),
    ...options,
    tiny,
  }
}

export const tinyPlan = (config: Partial<TrainingConfig>): TrainingConfig => ({
  ...TrainingConfig.parse({}),
  steps: TINY_STEPS,
  batchSize: 4,
  learningRate: 1e-2,
  warmupSteps: 1,
  weightDecay: 0.01,
  ...config,
})

export interface OpenedTraining {
  readonly session: TrainingSession
  readonly fresh: TrainingState
  readonly run: (
    state: TrainingState,
    until?: number,
    signal?: AbortSignal,
    look?: (state: TrainingState) => Promise<void>,
  ) => Promise<StepReport[]>
}

export async function openTiny(options: Partial<TinyTraining> = {}): Promise<OpenedTraining> {
  const given = tinyTraining(options)
  const { method, methodConfig, config, seed, threads, device, tiny, examples } = given
  const session = await openTraining({
    model: tiny.model,
    weights: tiny.weights,
    method: bindMethod({ name: method, config: { ...methodConfig } }),
    seed,
    maxPositions: 32,
    device: { name: device, threads },
    data: { examples, padId: 0 },
  })
  return {
    session,
    fresh: newOptimizerState(session.parameters, session.memorySize),
    async run(state, until, signal = new AbortController().signal, look = async () => undefined) {
      const reports: StepReport[] = []
      const plan = {
        session,
        examples,
        padId: 0,
        config: tinyPlan(config),
        seed,
        signal,
        lastGood: () => 'the-last-good.safetensors',
      }
      for await (const report of train(state, plan, until)) {
        reports.push(report)
        await look(state)
      }
      return reports
    },
  }
}

/** From the start, or from the state in `from`, to `until`; saved to `to` if asked. A new session each time. */
export async function trainTiny(
  options: Partial<TinyTraining>,
  { from, until, to }: { from?: string; until?: number; to?: string } = {},
): Promise<{ digest: string; reports: StepReport[]; state: TrainingState }> {
  const opened = await openTiny(options)
  const identity = { run: 'tiny', seed: String(options.seed ?? 5) }
  const state =
    from === undefined
      ? opened.fresh
      : await loadTrainingState(from, identity, opened.session.memorySize)
  const reports = await opened.run(state, until)
  if (to !== undefined) await saveTrainingState(to, state, identity)
  await opened.session.release()
  return { digest: digestOf(state), reports, state }
}

/** sha256 over the bits of everything that a run remembers. */
export function digestOf({
  parameters,
  firstMoment,
  secondMoment,
  memory,
  step,
}: TrainingState): string {
  const hash = createHash('sha256')
  for (const part of [parameters, firstMoment, secondMoment, memory]) hash.update(part)
  return hash.update(String(step)).digest('hex')
}
