/** @file `touchstone spectral`. */
import { join } from 'node:path'
import { SpectralConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { exists } from '../../files/read-file.ts'
import { readPeftFolder } from '../../models/formats/peft-folder.ts'
import { readArguments } from '../options/arguments.ts'
import type { Field } from '../options/fields.ts'
import type { JobVerb } from './job-verb.ts'
import { saidAlso, wordsOf } from './positionals.ts'

export const spectralVerb: JobVerb = {
  examples: [
    'touchstone spectral models/base models/adapter',
    'touchstone spectral models/adapter models/later-adapter',
    'touchstone spectral --model models/base --candidate models/adapter --null-draws 99',
  ],
  positionals: { shown: '[MODEL] [CANDIDATE…]', inOptions },
  schema: SpectralConfig,
  kind: async () => anyJobKind((await import('../../audit/spectral-job.ts')).spectralJob),
  writesReports: true,
  check(config) {
    if ((config as SpectralConfig).candidates.length > 0) return
    throw usageError(
      'There is nothing to compare with the model: --candidate is missing.',
      'Add --candidate PATH, once for each fine-tune.',
    )
  },
}

/**
 * `A B C` means `--model A --candidate B --candidate C`. If A is an adapter, it means `--against A`, and the model is that of
 * --model or the adapter's base.
 */
export async function inOptions(
  argv: readonly string[],
  fields: readonly Field[],
): Promise<readonly string[]> {
  const { given, positionals } = readArguments(argv, fields)
  const [first, ...candidates] = positionals
  if (first === undefined) return argv
  const isAdapter = await exists(join(first, 'adapter_config.json'))
  const taken = isAdapter ? 'against' : 'model'
  if (given.has(taken)) throw saidTwice(first, taken)
  if (given.has('candidate') && candidates[0] !== undefined) {
    throw saidTwice(candidates[0], 'candidate')
  }
  return [
    ...(isAdapter ? [`--against=${first}`] : [`--model=${first}`]),
    ...(isAdapter && !given.has('model') ? [`--model=${await modelOf(first)}`] : []),
    ...candidates.map((path) => `--candidate=${path}`),
    ...wordsOf(given),
  ]
}

async function modelOf(adapter: string): Promise<string> {
  const { config } = await readPeftFolder(adapter)
  if (config.base === 'pebble' || (await exists(config.base))) return config.base
  throw usageError(
    `The adapter ${adapter} was trained on "${config.base}", which is not at that place here.`,
    'Name its model with --model PATH.',
  )
}

const saidTwice = (word: string, option: string) =>
  saidAlso(word, option, 'touchstone spectral MODEL CANDIDATE…')
