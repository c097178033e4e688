/** @file `touchstone spectral`. */
import { SpectralConfig } from '../../audit/config.ts'
import { TouchstoneError } from '../../errors.ts'
import { anyJobKind } from '../../jobs/job-kind.ts'
import { readArguments, type Given } from '../arguments.ts'
import type { Command } from '../command.ts'
import { jobCommand } from '../job-command.ts'

const byOptions = jobCommand({
  name: 'spectral',
  summary: 'Compares the weights of fine-tunes with their base, direction by direction.',
  examples: [
    'touchstone spectral models/base models/adapter',
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
})

export const spectral: Command = {
  ...byOptions,
  positionals: '[MODEL] [CANDIDATE…]',
  run: (argv, io) => byOptions.run(inOptions(argv), io),
}

/** `A B C` is `--model A --candidate B --candidate C`. */
export function inOptions(argv: readonly string[]): string[] {
  const fields = byOptions.options.flatMap((group) => group.fields)
  const { given, positionals } = readArguments(argv, fields)
  const [model, ...candidates] = positionals
  if (model === undefined) return [...argv]
  const said = given.has('model') ? 'model' : given.has('candidate') ? 'candidate' : undefined
  if (said === 'model' || (said === 'candidate' && candidates.length > 0)) {
    throw new TouchstoneError('usage.invalid', {
      problem: `"${said === 'model' ? model : candidates[0]}" stands beside --${said}, which says the same.`,
      remedy: 'Write `touchstone spectral MODEL CANDIDATE…`, or name each with its option.',
    })
  }
  return [`--model=${model}`, ...candidates.map((path) => `--candidate=${path}`), ...wordsOf(given)]
}

const wordsOf = (given: Given): string[] =>
  [...given].flatMap(([flag, values]) =>
    values.map((value) => (value === null ? `--no-${flag}` : `--${flag}=${value}`)),
  )
