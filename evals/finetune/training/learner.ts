/** @file What moves a training state, step by step: on the host in the state's own vectors, or in a device's memory. */
import { adamW, globalNorm, type AdamWConfig, type ParameterGroup } from '../../graph/optimizer.ts'
import { openDeviceLearner } from './device-learner.ts'
import type { AnyMethod, Batch, StepState } from '../method.ts'
import type { TrainingState } from './state.ts'
import type { TrainingSession } from './train-graph.ts'

/** Of each step: `add` every micro-batch, then `norm`, then `update`. */
export interface Learner {
  /** The loss of a micro-batch; its gradient is added to the step's. */
  add(batch: Batch): Promise<number>
  /** ‖g‖₂ of the step's gradient, as the optimiser will be given it. */
  norm(): Promise<number>
  /** One AdamW update by `gradientScale`·g. The state's numbers on the host are the newest when they were brought back. */
  update(learningRate: number, gradientScale: number): Promise<void>
  /** The step's gradient, before `update`, in the parameters' order. */
  gradient(): Promise<Float32Array>
  /** Brings back what is elsewhere, unless something failed. */
  close(): Promise<void>
}

export interface LearnerOptions {
  readonly session: TrainingSession
  readonly method: AnyMethod
  readonly seed: number
  readonly config: AdamWConfig & { readonly gradientAccumulationSteps: number }
  readonly groups: readonly ParameterGroup[]
}

/** In the device's memory wherever the session offers it. */
export const openLearner = async (
  state: TrainingState,
  options: LearnerOptions,
): Promise<Learner> => {
  const { resident } = options.session
  return resident ? openDeviceLearner(state, resident, options) : hostLearner(state, options)
}

export function hostLearner(
  state: TrainingState,
  { session, method, seed, config, groups }: LearnerOptions,
): Learner {
  const { layout, methodConfig } = session
  const { parameters, firstMoment } = state
  let added = 0
  let sum: Float32Array | undefined
  let memory: Float32Array | undefined
  const seen = (): StepState => {
    const { step, memory: own } = state
    return { parameters, firstMoment, memory: own, step, microBatch: added, seed, layout }
  }
  session.setParameters(parameters)
  return {
    async add(batch) {
      const perturbation = method.perturb?.(seen(), methodConfig)
      const { loss, flat } = await session.gradients(batch, perturbation)
      added++
      if (config.gradientAccumulationSteps === 1) sum = flat
      else if (sum) for (let j = 0; j < sum.length; j++) sum[j]! += flat[j]!
      else sum = flat.slice()
      return loss
    },
    async norm() {
      added = 0
      const gradient = sum!
      const shaped = method.step?.({ ...seen(), gradient }, methodConfig) ?? { gradient }
      sum = shaped.gradient
      ;({ memory } = shaped)
      return globalNorm(sum)
    },
    async update(learningRate, gradientScale) {
      await adamW(state, sum!, config, groups, learningRate, gradientScale)
      if (memory) state.memory.set(memory)
      sum = undefined
    },
    gradient: async () => sum!,
    close: async () => undefined,
  }
}
