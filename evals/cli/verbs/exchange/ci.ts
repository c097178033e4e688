/** @file `touchstone ci init github`: the pipeline of a team that holds its fine-tunes to a gate. */
import { existsSync } from 'node:fs'
import { mkdir } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import { z } from 'zod'
import { findNamed } from '../../../errors/names.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import { plainText } from '../../../document/plain-text.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { text } from '../../../runs/options/common.ts'
import { requireNamed } from '../../../runs/options/flags.ts'
import { command } from '../../command.ts'
import { GATE, PROVIDERS } from './pipeline.ts'

const CiOptions = z.object({
  base: text.default('models/base').meta({ help: 'The base that the pipeline evaluates' }),
  candidate: text.default('models/candidate').meta({ help: 'The fine-tune' }),
  suite: text.default('general').meta({ help: 'Benchmarks, with commas between' }),
  folder: text.default('.').meta({ help: 'The repository that it is for', value: 'FOLDER' }),
})

const NAMES = PROVIDERS.map(({ name }) => name).join(' or ')

export const ci = command({
  schema: CiOptions,
  positionals: 'init PROVIDER',
  examples: [
    'touchstone ci init github',
    'touchstone ci init gitlab --base models/base --candidate models/tuned',
  ],
  remark:
    'Writes the pipeline and, where there is none, gate.yaml. The pipeline installs the file that npm run pack makes from the top of the repository.',
  async run({ options: { folder, ...given }, named: [action, provider], tell }) {
    if (action !== 'init')
      throw usageError('ci has one action, init.', `Run: touchstone ci init ${PROVIDERS[0]!.name}.`)
    const name = requireNamed(provider, 'No provider was named.', `Name ${NAMES}.`)
    const { path, text: pipeline } = findNamed('provider', PROVIDERS, name)
    const wanted = join(folder, path)
    if (existsSync(wanted))
      throw usageError(`${wanted} is there already.`, 'Remove it first, or name another --folder.')
    const gate = join(folder, 'gate.yaml')
    const files: [string, string][] = [[wanted, pipeline(given)]]
    if (!existsSync(gate)) files.push([gate, GATE])
    for (const [file, content] of files) {
      await mkdir(dirname(file), { recursive: true })
      await writeAtomically(file, [content])
    }
    const paths = files.map(([file]) => file)
    const lines = paths.map((file) => `Wrote ${plainText(file, 4000)}\n`)
    tell({ type: 'ci', files: paths }, lines.join(''))
  },
})
