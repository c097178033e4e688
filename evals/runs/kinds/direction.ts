/** @file `touchstone direction`: the direction of refusal before and after a fine-tune, and whether it was removed. */
import { DirectionConfig } from '../../audit/causes/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { firstWordAs } from './positionals.ts'

export const directionVerb: JobVerb = {
  remark:
    'Candidates of the run are opened again and its fine-tunes trained again. The direction is the difference of mean activations between\nbundled prompts to refuse and to answer. Directions are not stored or exported, and no verb removes one.',
  examples: [
    'touchstone direction audit-20260131-120000-1a2b',
    'touchstone direction audit-20260131-120000-1a2b --arm lora --draws 39 --no-steer',
    'touchstone direction audit-20260131-120000-1a2b --benign my-benign-rows.jsonl',
  ],
  positionals: { shown: 'RUN', inOptions: firstWordAs('run', 'touchstone direction RUN') },
  schema: DirectionConfig,
  kind: async () => anyJobKind((await import('../../audit/causes/direction-job.ts')).directionJob),
  writesReports: true,
  exitsZero: true,
  addsTo: (config) => (config as DirectionConfig).run,
}
