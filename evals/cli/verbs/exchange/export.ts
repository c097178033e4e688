/** @file `touchstone export`: a run in the formats of other tools, from its database alone. */
import { parseNamed } from '../../../runs/options/flags.ts'
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { plainText } from '../../../document/plain-text.ts'
import type { Command } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { withNamedRun, type NamedRun } from '../../../runs/named-run.ts'
import { checkOutputs, EXTENSIONS, writeFiles, writeLmEval } from '../../../runs/outputs.ts'

const ExportOptions = z.object({
  output: z
    .array(z.string().min(1))
    .min(1)
    .meta({
      help: `A file to write, by its ending: ${EXTENSIONS.join(' ')}; a folder with --format`,
      short: 'o',
      repeat: true,
      value: 'FILE',
    }),
  format: z
    .enum(['by-ending', 'lm-eval'])
    .default('by-ending')
    .meta({ help: 'lm-eval writes a folder as lm-evaluation-harness does' }),
  outDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ help: 'The folder of the run; its newest run if none is named' }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})

const fields = fieldsOf(ExportOptions)

export const exportRun: Command = {
  name: 'export',
  summary: 'Writes a run in the formats of other tools: Inspect, lm-eval, Every Eval Ever, JUnit.',
  positionals: '[RUN]',
  examples: [
    'touchstone export --out-dir out/audit -o run.eval -o run.junit.xml -o pairs.csv',
    'touchstone export audit-20260131-120000-1a2b --format lm-eval -o lm-eval-results',
  ],
  remark:
    'The base and the last step of every arm are written. What a model said to a prompt that should be\nrefused is in no export: there the completion is "[withheld]", and the outcome stands.',
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named: names } = parseNamed(ExportOptions, fields, argv, io)
    const { outDir, output, format, json } = options
    if (format === 'by-ending') checkOutputs(output)
    const { files, run } = await withNamedRun(names[0], outDir, async (named) => ({
      run: named.run.id,
      files: await written(named, output, format === 'lm-eval'),
    }))
    const lines = files.map((file) => `Wrote ${plainText(file, 4000)}\n`)
    const line = { type: 'export', runId: run, files }
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : lines.join(''))
    return 0
  },
}

async function written(
  { store, run }: NamedRun,
  output: readonly string[],
  isLmEval: boolean,
): Promise<string[]> {
  const rows = store.rows(run.id)
  const names = new Set(rows.benchmarks.map(({ name }) => name))
  if (!rows.evaluations.some(({ benchmark }) => names.has(benchmark))) {
    throw new TouchstoneError('interchange.nothing', { run: run.id })
  }
  if (!isLmEval) return [...(await writeFiles(rows, output)).files]
  const folders = await Promise.all(output.map((folder) => writeLmEval(rows, folder)))
  return folders.flat()
}
