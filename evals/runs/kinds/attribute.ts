/** @file `touchstone attribute`: which rows of its data took refusal from a fine-tune. */
import { AttributeConfig } from '../../audit/causes/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { firstWordAs } from './positionals.ts'

export const attributeVerb: JobVerb = {
  remark:
    'The fine-tunes of the run are trained again, each row is ranked by its gradients, and each fine-tune is trained again without\nthe rows ranked first and without as many others. The report names rows by number; rows are left out, never written out.',
  examples: [
    'touchstone attribute audit-20260131-120000-1a2b',
    'touchstone attribute audit-20260131-120000-1a2b --arm lora --without 0.05 --checkpoints 5',
    'touchstone attribute audit-20260131-120000-1a2b --target over-refusal',
  ],
  positionals: { shown: 'RUN', inOptions: firstWordAs('run', 'touchstone attribute RUN') },
  schema: AttributeConfig,
  kind: async () => anyJobKind((await import('../../audit/causes/attribute-job.ts')).attributeJob),
  writesReports: true,
  exitsZero: true,
  addsTo: (config) => (config as AttributeConfig).run,
}
