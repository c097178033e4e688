/** @file Training on the host: gradients, moments and parameters are vectors of the training state. */
import { adamW, globalNorm } from '../../graph/optimizer.ts'
import type { Batch, Stepped, StepState } from '../method.ts'
import type { Learner, LearnerOptions } from './learner.ts'
import type { TrainingState } from './state.ts'

export function hostLearner(state: TrainingState, options: LearnerOptions): Learner {
  options.session.setParameters(state.parameters)
  return new HostLearner(state, options)
}

class HostLearner implements Learner {
  readonly #state: TrainingState
  readonly #options: LearnerOptions
  /** Micro-batches of the current step. */
  #added = 0
  #sum: Float32Array | undefined
  /** What the method made of the step. */
  #stepped: Stepped | undefined

  constructor(state: TrainingState, options: LearnerOptions) {
    this.#state = state
    this.#options = options
  }

  async add(batch: Batch): Promise<number> {
    const { session, config } = this.#options
    const perturbation = session.method.perturb?.(this.#stepState())
    const { loss, flat } = await session.gradients(batch, perturbation)
    this.#added++
    const sum = this.#sum
    // `flat` is overwritten by the next micro-batch, if there is one.
    if (config.gradientAccumulationSteps === 1) this.#sum = flat
    else if (sum) for (let j = 0; j < sum.length; j++) sum[j]! += flat[j]!
    else this.#sum = flat.slice()
    return loss
  }

  async norm(): Promise<number> {
    this.#added = 0
    const gradient = this.#sum!
    const { method } = this.#options.session
    const shaped: Stepped = method.step?.({ ...this.#stepState(), gradient }) ?? { gradient }
    this.#sum = shaped.gradient
    this.#stepped = shaped
    return globalNorm(shaped.gradient)
  }

  async update(learningRate: number, gradientScale: number): Promise<void> {
    const { config, groups } = this.#options
    await adamW(this.#state, this.#sum!, config, groups, learningRate, gradientScale)
    const { memory, parameters } = this.#stepped!
    if (memory) this.#state.memory.set(memory)
    for (const { name, start } of this.#options.session.table.slices) {
      const fixed = parameters?.get(name)
      if (fixed) this.#state.parameters.set(fixed, start)
    }
    this.#sum = undefined
  }

  async gradient(): Promise<Float32Array> {
    return this.#sum!
  }

  async close(): Promise<void> {}

  #stepState(): StepState {
    const { parameters, firstMoment, memory, step } = this.#state
    const { session, seed, config } = this.#options
    const { layout } = session
    const at = { step, steps: config.steps, microBatch: this.#added }
    return { parameters, firstMoment, memory, ...at, seed, layout }
  }
}
