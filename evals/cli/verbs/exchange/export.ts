/** @file `touchstone export`: a run in the formats of other tools, from its database alone. */
import { z } from 'zod'
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { plainText } from '../../../document/plain-text.ts'
import { command } from '../../command.ts'
import { files, runFolder, text } from '../../../runs/options/common.ts'
import { withNamedRun, type NamedRun } from '../../../runs/named-run.ts'
import { checkOutputs, EXTENSIONS, writeFiles, writeLmEval } from '../../../runs/outputs.ts'

const ExportOptions = z.object({
  output: z
    .array(text)
    .min(1)
    .meta({
      help: `A file to write, by its ending: ${EXTENSIONS.join(' ')}; a folder with --format`,
      ...files,
    }),
  format: z
    .enum(['by-ending', 'lm-eval'])
    .default('by-ending')
    .meta({ help: 'lm-eval writes a folder as lm-evaluation-harness does' }),
  outDir: runFolder,
})

export const exportRun = command({
  schema: ExportOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone export --out-dir out/audit -o run.eval -o run.junit.xml -o pairs.csv',
    'touchstone export audit-20260131-120000-1a2b --format lm-eval -o lm-eval-results',
  ],
  remark:
    'The base and the last checkpoint of every variant are written. What a model said to a prompt that should be\nrefused is in no export: there the completion is "[withheld]", and the outcome stands.',
  async run({ options: { outDir, output, format }, named: [runId], tell }) {
    if (format === 'by-ending') checkOutputs(output)
    const written = await withNamedRun(runId, outDir, async (named) => ({
      runId: named.run.id,
      files: await write(named, output, format === 'lm-eval'),
    }))
    const lines = written.files.map((path) => `Wrote ${plainText(path, 4000)}\n`)
    tell({ type: 'export', ...written }, lines.join(''))
  },
})

async function write(
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
