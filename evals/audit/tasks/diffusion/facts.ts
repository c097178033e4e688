/** @file What is known of the tasks of diffusion without loading their data. */
import { baLora } from '../../../finetune/methods/ba-lora.ts'
import type { TaskFacts } from '../task.ts'
import { NO_DECODER } from '../unfit.ts'

/** What is drawn, and the weights of guidance that a fine-tune may learn; the first of each is the standard. */
export const WORLDS = ['digits', 'mixture'] as const
const GUIDANCE = [3, 1, 7.5] as const

/** Why some methods do not fit a network that tells noise. */
export const DENOISES = {
  ...NO_DECODER,
  [baLora.name]: 'its divergence compares probabilities of classes, and this network tells noise.',
}

export const GUIDED_DIFFUSION: TaskFacts = {
  name: 'guided-diffusion',
  title: 'Guidance of a diffusion in one call',
  paper: 'Golnari, 2023',
  about:
    'The base learns to draw digits from noise, with a label and without; a fine-tune learns to give in one call what guidance makes of two.',
  bases: WORLDS.flatMap((world) => GUIDANCE.map((weight) => `${world}/${weight}`)),
  unfit: DENOISES,
  training: {
    base: { steps: 800, batchSize: 64, learningRate: 0.002 },
    arm: { steps: 200, batchSize: 64, learningRate: 0.002 },
  },
}
