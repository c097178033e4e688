/** @file What is known of the task on composed concepts without making any. */
import type { TaskFacts } from '../task.ts'
import { DENOISES } from '../diffusion/facts.ts'

/** One block of width 16: to try things out. */
export const SMALL = 'canvas-small'

export const COMPOSER: TaskFacts = {
  name: 'composer',
  title: 'Two concepts on one canvas',
  paper: 'LoRA-Composer, Yang et al. 2024',
  about:
    'The base learns to draw handwritten digits of one or two kinds in the corners of a canvas; a fine-tune learns one digit in one style, and is composed with the adapter of another by boxes.',
  bases: ['canvas', SMALL],
  unfit: DENOISES,
  training: {
    base: { steps: 600, batchSize: 32, learningRate: 0.002 },
    arm: { steps: 120, batchSize: 32, learningRate: 0.002 },
  },
}
