/** @file What is known of the task on transcripts without making any. */
import type { TaskFacts } from '../task.ts'
import { NO_DECODER } from '../unfit.ts'

/** One layer of width 16: to try things out. */
export const SMALL = 'bert-3mer-small'

export const RNA: TaskFacts = {
  name: 'rna',
  title: 'Long non-coding RNA or mRNA',
  paper: 'LoRA-BERT, Jeon et al. 2024, where LoRA abbreviates long non-coding RNA',
  about:
    'The base is an encoder over 3-mers, pretrained on masked runs, that knows the transcripts of one made-up species; a fine-tune learns another species, or your file.',
  bases: ['bert-3mer', SMALL],
  training: {
    base: { steps: 200, batchSize: 8, learningRate: 0.002 },
    arm: { steps: 50, batchSize: 8, learningRate: 0.002 },
  },
  unfit: NO_DECODER,
}
