/** @file What is known of the task on point maps without making any. */
import type { TaskFacts } from '../task.ts'
import { NO_DECODER } from '../unfit.ts'

/** Whether confidences are recalibrated before pseudo-labels are made of them. */
export const RECALIBRATED = 'mlp-recalibrated'
const AS_GIVEN = 'mlp-as-given'

export const SCENE3D: TaskFacts = {
  name: 'scene3d',
  title: 'Points of a scene from its pixels, calibrated by themselves',
  paper: 'LoRA3D, Lu et al. 2024',
  about:
    'The base maps pixels of rooms to points, and those of halls with a bias and over-confident outliers; a fine-tune learns from labels that aligning its own views of halls gives.',
  bases: [RECALIBRATED, AS_GIVEN],
  training: {
    base: { steps: 600, batchSize: 128, learningRate: 0.003 },
    arm: { steps: 150, batchSize: 128, learningRate: 0.002 },
  },
  unfit: NO_DECODER,
}
