/** @file `touchstone spectral`. */
import { SpectralConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { JobVerb } from './job-verb.ts'

export const spectralVerb: JobVerb = {
  name: 'spectral',
  summary: 'Compares the weights of fine-tunes with their base, direction by direction.',
  examples: [
    'touchstone spectral models/base models/adapter',
    'touchstone spectral models/adapter models/later-adapter',
    'touchstone spectral --model models/base --candidate models/adapter --null-arm',
  ],
  schema: SpectralConfig,
  kind: async () => anyJobKind((await import('../../audit/jobs.ts')).spectralJob),
  writesReports: true,
  check(config) {
    if ((config as SpectralConfig).candidates.length > 0) return
    throw new TouchstoneError('usage.invalid', {
      problem: 'There is nothing to compare with the model: --candidate is missing.',
      remedy: 'Add --candidate PATH, once for each fine-tune.',
    })
  },
}
