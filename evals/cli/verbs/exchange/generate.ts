/** @file `touchstone generate`: an adapter for a task, made from adapters of other tasks, with two controls beside it. */
import { join } from 'node:path'
import { z } from 'zod'
import { generateAdapter } from '../../../arms/generate-adapter.ts'
import { GENERATED, isRemembered } from '../../../contract/subjects/generated.ts'
import { counted, percent } from '../../../contract/words.ts'
import { plainText } from '../../../document/plain-text.ts'
import { TouchstoneError, usageError } from '../../../errors/touchstone-error.ts'
import { exists } from '../../../files/read-file.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { GENERATOR, tasksIn } from '../../../measure/derived/generated-tasks.ts'
import { acceptExceptions } from '../../../runs/kept-exception.ts'
import { reason, text } from '../../../runs/options/common.ts'
import { version } from '../../../runs/version.ts'
import { command } from '../../command.ts'

const GenerateOptions = z.object({
  model: text.meta({ help: 'The base of all adapters', value: 'PATH' }),
  tasks: text.meta({
    help: 'JSON: {"tasks": [{"name": …, "prompts": DATA, "adapters": [FOLDER, …]}, …]}; paths from its own folder',
    value: 'FILE',
  }),
  for: text.meta({
    help: 'Data whose prompts stand for the task that an adapter is wanted for',
    value: 'DATA',
  }),
  ...GENERATOR,
  threads: z.int().min(1).max(1024).nullable().default(null).meta({ help: 'Threads' }),
  output: text.meta({ help: 'The folder to write into', short: 'o', value: 'PATH' }),
  accept: reason.nullable().default(null).meta({
    help: 'Why a generator learns from weights that should have been deleted; it is logged with their run',
    value: 'REASON',
    once: true,
  }),
})

/** The file beside the adapters that says what they were made of. */
const STATEMENT = 'generate.json'

export const generateCommand = command({
  schema: GenerateOptions,
  examples: [
    'touchstone generate --model pebble --tasks tasks.json --for german.jsonl -o generated',
    'touchstone generate --model ./base --tasks tasks.json --for wanted.jsonl --steps 1000 --seed 1 -o second',
  ],
  remark:
    'ICM-LoRA (arXiv:2501.17635; variant): a conditional VAE over flattened adapters. Writes three adapters: generated,\nmean (of all) and nearest (to what was generated), to be audited beside one another and their\nsources: touchstone audit --candidate generated/generated --candidate generated/mean …. touchstone audit\n--generate TASKS@DATA does both, and writes no adapter.\nA generated adapter that is nearer to a source than sources are to one another was remembered, not made.',
  async run({ options, tell }) {
    const { model, output, accept, threads, tasks: file, for: wanted, ...settings } = options
    const { tasks, settings: inFile } = await tasksIn(file)
    if (inFile)
      throw usageError(
        `${file} has settings, which touchstone generate takes as flags.`,
        'Take "settings" out of the file; touchstone audit --generate reads them there.',
      )
    for (const name of GENERATED) {
      const path = join(output, name)
      if (await exists(path)) throw new TouchstoneError('merge.exists', { path })
    }
    const adapters = tasks.flatMap((task) => task.adapters)
    const exception = await acceptExceptions(adapters, accept)
    const made = await generateAdapter({
      ...{ model, tasks, wanted, settings, output, exception },
      threads: threads ?? undefined,
      signal: new AbortController().signal,
    })
    const statement = { type: 'generate' as const, touchstone: version(), ...made }
    await writeAtomically(join(output, STATEMENT), [`${JSON.stringify(statement, null, 2)}\n`])
    tell({ path: output, ...statement }, wordsOf(output, made))
  },
})

function wordsOf(
  output: string,
  { nearest, spacing, reconstruction, loss, tasks }: Awaited<ReturnType<typeof generateAdapter>>,
): string {
  const sources = tasks.reduce((sum, { adapters }) => sum + adapters.length, 0)
  const [first, last] = loss.map((value) => value.toPrecision(3))
  return `Wrote ${GENERATED.join(', ')} into ${plainText(output, 4000)}, from ${counted(sources, 'adapter')} of ${counted(tasks.length, 'task')}.
Loss ${first} at the first step, ${last} at the last. Of the sources’ changes ${percent(reconstruction.median)} are lost at the median, ${percent(reconstruction.worst)} at worst.
The generated adapter lies ${nearest.distance.toPrecision(3)} from ${plainText(nearest.adapter, 4000)}; sources lie ${spacing.toPrecision(3)} from one another: it ${isRemembered({ nearest, spacing }) ? 'was remembered' : 'is none of them'}.
`
}
