/** @file What is known of the task of text in scenes without loading its data. */
import { SENSES } from '../../../models/families/scene-reader.ts'
import type { TaskFacts } from '../task.ts'
import { NO_DECODER } from '../unfit.ts'

export const SCENE_TEXT: TaskFacts = {
  name: 'scene-text',
  title: 'Questions on words in a scene',
  paper: 'Zhu et al., 2023',
  about:
    'The base learns which word of a scene of capitals answers a question; a fine-tune learns scenes of small letters, and capitals are asked again.',
  bases: SENSES,
  unfit: NO_DECODER,
  training: {
    base: { steps: 600, batchSize: 32, learningRate: 0.003 },
    arm: { steps: 150, batchSize: 32, learningRate: 0.003 },
  },
}
