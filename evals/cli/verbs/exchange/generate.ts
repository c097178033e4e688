/** @file `touchstone generate`: an adapter for a task, made from adapters of other tasks, with two controls beside it. */
import { dirname, join, resolve } from 'node:path'
import { z } from 'zod'
import { GENERATED, generateAdapter } from '../../../arms/generate-adapter.ts'
import { counted, percent } from '../../../contract/words.ts'
import { plainText } from '../../../document/plain-text.ts'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { exists, malformed, readJson } from '../../../files/read-file.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { BUNDLED_DATA } from '../../../measure/sources.ts'
import { acceptExceptions } from '../../../runs/kept-exception.ts'
import { reason, text } from '../../../runs/options/common.ts'
import { version } from '../../../runs/version.ts'
import { command } from '../../command.ts'

const Tasks = z.strictObject({
  tasks: z
    .array(z.strictObject({ name: text, prompts: text, adapters: z.array(text).min(1) }))
    .min(1),
})

const whole = (min: number, max: number, usual: number, help: string) =>
  z.int().min(min).max(max).default(usual).meta({ help })

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
  prompts: whole(1, 1000, 16, 'Prompts of each task that its vector is the mean of'),
  steps: whole(1, 100_000, 300, 'Steps of training the generator'),
  batchSize: whole(2, 256, 8, 'Adapters in a step'),
  learningRate: z.number().gt(0).max(1).default(1e-3).meta({ help: 'AdamW’s rate, constant' }),
  latent: whole(1, 4096, 64, 'Numbers of the Gaussian between encoder and decoder'),
  condition: whole(1, 4096, 512, 'Numbers that a task vector is mapped to'),
  seed: whole(0, 2 ** 31 - 1, 0, 'Seed of the start, the noise and the draw'),
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
    'ICM-LoRA (arXiv:2501.17635; variant): a conditional VAE over flattened adapters. Writes three adapters: generated,\nmean (of all) and nearest (to what was generated), to be audited beside one another and their\nsources: touchstone audit --candidate generated/generated --candidate generated/mean ….\nA generated adapter that is nearer to a source than sources are to one another was remembered, not made.',
  async run({ options, tell }) {
    const { model, output, accept, threads, prompts, for: wanted, ...settings } = options
    const tasks = await tasksIn(options.tasks)
    for (const name of GENERATED) {
      const path = join(output, name)
      if (await exists(path)) throw new TouchstoneError('merge.exists', { path })
    }
    const adapters = tasks.flatMap((task) => task.adapters)
    if (adapters.length < 2)
      throw new TouchstoneError('generate.too-few', { found: adapters.length })
    const exception = await acceptExceptions(adapters, accept)
    const made = await generateAdapter({
      ...{ model, tasks, wanted, prompts, settings, output, exception },
      threads: threads ?? undefined,
      signal: new AbortController().signal,
    })
    const statement = { type: 'generate' as const, touchstone: version(), ...made }
    await writeAtomically(join(output, STATEMENT), [`${JSON.stringify(statement, null, 2)}\n`])
    tell({ path: output, ...statement }, wordsOf(output, made))
  },
})

async function tasksIn(path: string) {
  const found = Tasks.safeParse(await readJson(path))
  if (!found.success)
    throw malformed(
      path,
      z.prettifyError(found.error),
      'tasks, each with a name, prompts and adapters',
    )
  const here = (name: string) => resolve(dirname(path), name)
  const isBundled = (name: string) => (BUNDLED_DATA as readonly string[]).includes(name)
  return found.data.tasks.map(({ name, prompts, adapters }) => ({
    name,
    prompts: isBundled(prompts) ? prompts : here(prompts),
    adapters: adapters.map(here),
  }))
}

function wordsOf(
  output: string,
  { nearest, spacing, reconstruction, loss, tasks }: Awaited<ReturnType<typeof generateAdapter>>,
): string {
  const sources = tasks.reduce((sum, { adapters }) => sum + adapters.length, 0)
  const [first, last] = loss.map((value) => value.toPrecision(3))
  const isRemembered = nearest.distance < spacing
  return `Wrote ${GENERATED.join(', ')} into ${plainText(output, 4000)}, from ${counted(sources, 'adapter')} of ${counted(tasks.length, 'task')}.
Loss ${first} at the first step, ${last} at the last. Of the sources’ changes ${percent(reconstruction.median)} are lost at the median, ${percent(reconstruction.worst)} at worst.
The generated adapter lies ${nearest.distance.toPrecision(3)} from ${plainText(nearest.adapter, 4000)}; sources lie ${spacing.toPrecision(3)} from one another: it ${isRemembered ? 'was remembered' : 'is none of them'}.
`
}
