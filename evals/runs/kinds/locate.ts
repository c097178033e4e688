/** @file `touchstone locate`: which parts of a fine-tune's change took refusal. */
import { LocateConfig } from '../../audit/causes/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { firstWordAs } from './positionals.ts'

export const locateVerb: JobVerb = {
  remark:
    'The fine-tunes of the run are trained again. Each matrix (of large models each layer) is put back to the base alone, then the\nsmallest set of those ranked first that restores refusal, beside random sets whose change is as large. No weights are kept.',
  examples: [
    'touchstone locate audit-20260131-120000-1a2b',
    'touchstone locate audit-20260131-120000-1a2b --arm full --restores 0.9 --draws 10',
  ],
  positionals: { shown: 'RUN', inOptions: firstWordAs('run', 'touchstone locate RUN') },
  schema: LocateConfig,
  kind: async () => anyJobKind((await import('../../audit/causes/locate-job.ts')).locateJob),
  writesReports: true,
  exitsZero: true,
  addsTo: (config) => (config as LocateConfig).run,
}
