/** @file What is known of the task on places and their features without reading any. */
import type { TaskFacts } from '../task.ts'
import { NO_DECODER } from '../unfit.ts'

export const SATCLIP: TaskFacts = {
  name: 'satclip',
  title: 'Which features belong to a place',
  paper: 'SatCLIP, Klemmer et al. 2023',
  about:
    'The base learns by contrast which features belong to which settlement of the earth without South America; a fine-tune learns South America, and the rest is asked again.',
  bases: ['spherical-harmonics/siren'],
  training: {
    base: { steps: 400, batchSize: 128, learningRate: 0.002 },
    arm: { steps: 100, batchSize: 64, learningRate: 0.002 },
  },
  unfit: NO_DECODER,
}
