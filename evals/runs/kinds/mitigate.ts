/** @file `touchstone mitigate`. */
import { MitigateConfig } from '../../audit/config.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'

export const mitigateVerb: JobVerb = {
  examples: [
    'touchstone mitigate --model models/base --candidate models/adapter',
    'touchstone mitigate --model pebble --candidate models/tuned --lambda 0,0.5 --limit 64',
  ],
  schema: MitigateConfig,
  kind: async () => anyJobKind((await import('../../audit/mitigate-job.ts')).mitigateJob),
  writesReports: true,
  check(config) {
    if ((config as MitigateConfig).candidates.length > 0) return
    throw usageError(
      'There is no fine-tune to mitigate: --candidate is missing.',
      'Add --candidate PATH, once for each fine-tune.',
    )
  },
}
