/**
 * @file The training loop: batches in order, gradients accumulated and clipped, one AdamW update per step.
 * The state after step t is a function of (data, plan, seed, t), so a resumed run ends in the same bits.
 */
import { z } from 'zod'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { clipFactor } from '../../graph/optimizer.ts'
import {
  countLabelled,
  makeBatch,
  makePackedBatch,
  rowsOfStep,
  TRUNCATIONS,
  type Example,
} from './dataset.ts'
import { openDeviceLearner } from './device-learner.ts'
import { hostLearner } from './host-learner.ts'
import type { Learner, LearnerOptions } from './learner.ts'
import { optimizerGroups } from './parameters.ts'
import { scheduleFactor, SCHEDULES } from './schedule.ts'
import type { TrainingState } from './state.ts'
import type { TrainingSession } from './session.ts'
import { realNumber, wholeNumber } from '../settings.ts'

export const TrainingConfig = z.object({
  steps: wholeNumber({ min: 1, max: 1_000_000 }, 100, { label: 'Steps', help: 'Optimiser steps' }),
  batchSize: wholeNumber({ min: 1, max: 4096 }, 8, {
    label: 'Batch size',
    help: 'Rows in one micro-batch',
  }),
  gradientAccumulationSteps: wholeNumber({ min: 1, max: 1024 }, 1, {
    label: 'Accumulation',
    help: 'Micro-batches in one step',
  }),
  learningRate: realNumber({ above: 0, max: 10 }, 2e-4, {
    label: 'Learning rate',
    help: 'Peak rate',
  }),
  schedule: z
    .enum(SCHEDULES)
    .default('cosine')
    .meta({ label: 'Schedule', help: 'How the rate falls after warm-up' }),
  warmupSteps: wholeNumber({ min: 0 }, 5, {
    label: 'Warm-up',
    help: 'Steps over which the rate rises',
  }),
  weightDecay: realNumber({ min: 0 }, 0, {
    label: 'Weight decay',
    help: 'AdamW’s λ, on matrices only',
  }),
  maxGradientNorm: realNumber({ min: 0 }, 1, {
    label: 'Clip',
    help: 'Largest gradient norm; 0 does not clip',
  }),
  beta1: realNumber({ min: 0, max: 0.9999 }, 0.9, {
    label: 'β1',
    help: 'AdamW’s memory of the gradient',
  }),
  beta2: realNumber({ min: 0, max: 0.99999 }, 0.999, {
    label: 'β2',
    help: 'AdamW’s memory of the squared gradient',
  }),
  epsilon: realNumber({ above: 0 }, 1e-8, {
    label: 'ε',
    help: 'Keeps AdamW from dividing by zero',
  }),
  maxTokens: wholeNumber({ min: 2, max: 131072 }, 512, {
    label: 'Longest row',
    help: 'Longer rows meet --truncation',
    unit: 'tokens',
  }),
  truncation: z.enum(TRUNCATIONS).default('cut-end').meta({
    label: 'Truncation',
    help: 'Longer rows lose their end or start, go on in rows of their own (split), are left out, or stop the run (refuse)',
  }),
  skipUnlocated: z.boolean().default(false).meta({
    label: 'Skip unlocated',
    help: 'Leave out rows whose replies cannot be located in what the chat template writes, and count them',
  }),
  packing: z.boolean().default(false).meta({
    label: 'Packing',
    help: 'Lay short rows of a micro-batch behind one another; each still sees itself alone, so the same is learnt in less time',
  }),
  checkpointing: z.boolean().default(false).meta({
    label: 'Checkpointing',
    help: 'Hold only what goes into each block, and compute the block again for its gradient: less memory, more time, the same bits',
  }),
})
export type TrainingConfig = z.infer<typeof TrainingConfig>

export interface StepReport {
  /** Number of finished steps, from 1. */
  readonly step: number
  /** Mean loss over the step's labelled tokens before the update, nats. */
  readonly loss: number
  readonly gradientNorm: number
  readonly learningRate: number
  readonly tokens: number
}

interface TrainOptions {
  readonly session: TrainingSession
  readonly examples: readonly Example[]
  readonly padId: number
  readonly config: TrainingConfig
  readonly seed: number
  readonly signal: AbortSignal
  /** Path of the last good state, for the error of a step that is not finite. */
  readonly lastGood: () => string
  /** Steps of the plan before the state's own: they count for the order of rows and the schedule, not for the moments. */
  readonly earlier?: number
}

export const newOptimizerState = (parameters: Float32Array, memorySize = 0): TrainingState => ({
  parameters,
  firstMoment: new Float32Array(parameters.length),
  secondMoment: new Float32Array(parameters.length),
  memory: new Float32Array(memorySize),
  step: 0,
})

/** Opens a learner in the device's memory if the session supports it, else on the host. */
export const openLearner = async (
  state: TrainingState,
  options: LearnerOptions,
): Promise<Learner> => {
  const { resident } = options.session
  return resident ? openDeviceLearner(state, resident, options) : hostLearner(state, options)
}

/**
 * Trains `state` in place up to step `until` (by default the plan's end) and yields a report per step. Can be called again to
 * continue. Between steps the current values may be on a device (`state.deviceResident`); afterwards they are in `state`.
 */
export async function* train(
  state: TrainingState,
  options: TrainOptions,
  until = options.config.steps,
): AsyncGenerator<StepReport> {
  const { session, signal } = options
  const groups = optimizerGroups(session.table, false)
  const learner = await openLearner(state, { ...options, groups })
  try {
    while (state.step < until) {
      signal.throwIfAborted()
      yield await trainStep(state, learner, options)
      // A long step blocks this thread: let signals and timers run.
      await new Promise(setImmediate)
    }
  } finally {
    await learner.close()
  }
}

async function trainStep(
  state: TrainingState,
  learner: Learner,
  options: TrainOptions,
): Promise<StepReport> {
  const { config, lastGood, earlier = 0 } = options
  const { loss, tokens } = await accumulate(state, learner, options)
  const gradientNorm = await learner.norm()
  const step = state.step + 1
  if (!Number.isFinite(loss) || !Number.isFinite(gradientNorm)) {
    const what = Number.isFinite(loss) ? 'the gradient' : 'the loss'
    throw new TouchstoneError('training.not-finite', { step, what, checkpoint: lastGood() })
  }
  const learningRate =
    config.learningRate *
    scheduleFactor(config.schedule, earlier + state.step, config.warmupSteps, config.steps)
  await learner.update(learningRate, clipFactor(gradientNorm, config.maxGradientNorm))
  return { step, loss, gradientNorm, learningRate, tokens }
}

async function accumulate(state: TrainingState, learner: Learner, options: TrainOptions) {
  const { examples, padId, config, seed, earlier = 0 } = options
  const rowsPerStep = config.batchSize * config.gradientAccumulationSteps
  const rows = rowsOfStep(examples.length, rowsPerStep, earlier + state.step, seed)
  const chosen = rows.map((row) => examples[row]!)
  const labelled = countLabelled(chosen)
  const lay = config.packing ? makePackedBatch : makeBatch
  let loss = 0
  for (let i = 0; i < config.gradientAccumulationSteps; i++) {
    const part = chosen.slice(i * config.batchSize, (i + 1) * config.batchSize)
    loss += await learner.add(lay(part, padId, labelled))
  }
  return { loss, tokens: labelled }
}
