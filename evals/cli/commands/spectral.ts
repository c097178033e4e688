/** @file `touchstone spectral`. */
import { SpectralConfig } from '../../audit/config.ts'
import { TouchstoneError } from '../../errors.ts'
import { anyJobKind } from '../../jobs/job-kind.ts'
import { jobCommand } from '../job-command.ts'

export const spectral = jobCommand({
  name: 'spectral',
  summary: 'Compares the weights of fine-tunes with their base, direction by direction.',
  examples: ['touchstone spectral --model models/base --candidate models/adapter'],
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
})
