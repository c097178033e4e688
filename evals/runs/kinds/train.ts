/** @file `touchstone train`. */
import { TrainConfig } from '../../audit/config.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { aboutMethods } from '../options/methods.ts'

export const trainVerb: JobVerb = {
  examples: [
    'touchstone train --model pebble --data house-benign --methods lora --steps 200',
    'touchstone train --model models/base --data rows.jsonl --methods lora --target-modules q_proj,v_proj',
    'touchstone train --model models/base --data rows.jsonl --methods lora --base-precision nf4',
    'touchstone train --model models/minilm --data labelled.csv --methods lora',
  ],
  remark: `About the methods\n${aboutMethods()}`,
  schema: TrainConfig,
  kind: async () => anyJobKind((await import('../../audit/train-job.ts')).trainJob),
  writesReports: false,
  check(config) {
    if ((config as TrainConfig).methods.length > 0) return
    throw usageError('--methods is missing.', 'Add --methods lora or --methods full.')
  },
}
