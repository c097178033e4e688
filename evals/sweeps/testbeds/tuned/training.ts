/** @file Full-batch AdamW of a fine-tuning method on the digit reader, at a constant rate, and the base that it starts from. */
import { tunedOf } from '../../../arms/arm-adapter.ts'
import { full } from '../../../finetune/methods/full.ts'
import { bind, type Batch, type BoundMethod } from '../../../finetune/method.ts'
import { namedViews, optimizerGroups } from '../../../finetune/training/parameters.ts'
import { newOptimizerState, openLearner } from '../../../finetune/training/train.ts'
import { openTraining } from '../../../finetune/training/train-graph.ts'
import type { Model } from '../../../models/registry.ts'
import type { TunedWeights } from '../../../models/weights/tuned-weights.ts'
import { chooseDevice } from '../../../runtime/device.ts'
import { PIXELS } from '../digits/rows.ts'
import { digitReader, startingWeights } from './reader.ts'

const ADAM = { beta1: 0.9, beta2: 0.999, epsilon: 1e-8, gradientAccumulationSteps: 1 }

export interface Start {
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
}

interface Plan {
  readonly method: BoundMethod
  readonly batch: Batch
  readonly steps: number
  readonly learningRate: number
  readonly weightDecay: number
  readonly seed: number
  readonly signal: AbortSignal
}

/** Calls `look` with the weights after each of the steps `at`, ascending. */
export async function trainFrom(
  { model, weights }: Start,
  plan: Plan,
  at: readonly number[],
  look: (step: number, tuned: TunedWeights) => Promise<void>,
): Promise<void> {
  const { method, batch, steps, seed, weightDecay, learningRate, signal } = plan
  const device = chooseDevice('cpu', 1)
  const own = { model, weights, method, seed, maxPositions: PIXELS, device }
  const session = await openTraining(own)
  const state = newOptimizerState(session.parameters, session.memorySize)
  const groups = optimizerGroups(session.table, false)
  const config = { ...ADAM, weightDecay, steps }
  const learner = await openLearner(state, { session, seed, config, groups })
  try {
    for (const step of at) {
      while (state.step < step) {
        signal.throwIfAborted()
        await learner.add(batch)
        await learner.norm()
        await learner.update(learningRate, 1)
      }
      await new Promise(setImmediate)
      const parameters = namedViews(session.table, state.parameters)
      await look(step, weightsOf({ model, weights }, method, parameters, session.prepared))
    }
  } finally {
    await learner.close()
    await session.release()
  }
}

type Tuning = Parameters<typeof tunedOf>[1]

/** The model's weights with the method's parameters in them. */
const weightsOf = (
  start: Start,
  method: BoundMethod,
  parameters: Tuning['parameters'],
  prepared: Tuning['prepared'],
): TunedWeights => {
  const key = { arm: method.name, seed: 0, step: 0 }
  return tunedOf(
    { ...start, path: '' },
    { key, plan: { method }, parameters, prepared, statePath: '' },
  ).weights
}

const BASE = { steps: 300, learningRate: 0.003, weightDecay: 0 }
const KEPT_BASES = 16
const bases = new Map<string, Promise<Start>>()

/** A reader trained on clean rows; kept, because every cell of a seed starts from it. */
export function baseOf(width: number, seed: number, batch: Batch, signal: AbortSignal) {
  const key = `${width} ${seed}`
  const known = bases.get(key)
  if (known) return known
  if (bases.size >= KEPT_BASES) bases.clear()
  const made = trainedBase(width, { ...BASE, seed, batch, signal, method: WHOLE })
  bases.set(key, made)
  made.catch(() => bases.delete(key))
  return made
}

const WHOLE = bind(full, { learningRateScale: 1 })

async function trainedBase(width: number, plan: Plan): Promise<Start> {
  const model = digitReader(width)
  const names = [...model.weights.keys()]
  let weights = startingWeights(model, plan.seed)
  await trainFrom({ model, weights }, plan, [plan.steps], async (_, tuned) => {
    weights = new Map(names.map((name) => [name, tuned.read(name).slice()]))
  })
  return { model, weights }
}
