/** @file `touchstone export`: a run in the formats of other tools, from its database alone. */
import { z } from 'zod'
import type { AuditRows } from '../../../contract/audit-rows.ts'
import { unknownName } from '../../../errors/names.ts'
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
  candidate: z.array(text).default([]).meta({
    help: 'Only these variants, as the report names them; the base goes along',
    repeat: true,
    value: 'NAME',
  }),
  suite: z.array(text).default([]).meta({ help: 'Only these benchmarks', value: 'NAMES' }),
  baseFlops: z.number().gt(0).nullable().default(null).meta({
    help: 'For a fact sheet (.factsheet.md, .factsheet.html, .oscal.json): operations of the base’s own training, such as 3.8e25',
    value: 'FLOPS',
  }),
  outDir: runFolder,
})
type Options = z.infer<typeof ExportOptions>

export const exportRun = command({
  schema: ExportOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone export --out-dir out/audit -o run.eval -o run.junit.xml -o pairs.csv',
    'touchstone export --out-dir out/audit -o tuned.factsheet.md -o tuned.oscal.json --base-flops 3.8e25',
    'touchstone export audit-20260131-120000-1a2b --format lm-eval -o lm-eval-results',
    'touchstone export --out-dir out/audit --candidate lora -o README.modelcard.md',
  ],
  remark:
    'The base and the last checkpoint of every variant are written. What a model said to a prompt that should be\nrefused is in no export: there the completion is "[withheld]", and the outcome stands.',
  async run({ options, named: [runId], tell }) {
    const { outDir, output, format } = options
    if (format === 'by-ending') checkOutputs(output)
    const written = await withNamedRun(runId, outDir, async (named) => ({
      runId: named.run.id,
      files: await write(named, options),
    }))
    const lines = written.files.map((path) => `Wrote ${plainText(path, 4000)}\n`)
    tell({ type: 'export', ...written }, lines.join(''))
  },
})

async function write(
  { store, run }: NamedRun,
  { output, format, candidate, suite, baseFlops }: Options,
): Promise<string[]> {
  const rows = chosenRows(store.rows(run.id), candidate, suite)
  const names = new Set(rows.benchmarks.map(({ name }) => name))
  if (!rows.evaluations.some(({ benchmark }) => names.has(benchmark))) {
    throw new TouchstoneError('interchange.nothing', { run: run.id })
  }
  if (format !== 'lm-eval') return [...(await writeFiles(rows, output, { baseFlops })).files]
  const folders = await Promise.all(output.map((folder) => writeLmEval(rows, folder)))
  return folders.flat()
}

/** The rows of these variants and benchmarks; all where none is named. */
function chosenRows(
  rows: AuditRows,
  arms: readonly string[],
  benchmarks: readonly string[],
): AuditRows {
  const knownArms = new Set(rows.subjects.map(({ arm }) => arm))
  const knownNames = new Set(rows.benchmarks.map(({ name }) => name))
  const strangers = [
    ...arms
      .filter((arm) => !knownArms.has(arm))
      .map((arm) => unknownName('variant', arm, knownArms)),
    ...benchmarks
      .filter((name) => !knownNames.has(name))
      .map((name) => unknownName('benchmark', name, knownNames)),
  ]
  if (strangers[0]) throw strangers[0]
  const hasArm = ({ arm }: { readonly arm: string }) =>
    arms.length === 0 || arm === 'base' || arms.includes(arm)
  const isAsked = (name: string) => benchmarks.length === 0 || benchmarks.includes(name)
  const ofBoth = <R extends { readonly arm: string; readonly benchmark: string }>(
    all: readonly R[],
  ) => all.filter((row) => hasArm(row) && isAsked(row.benchmark))
  return {
    ...rows,
    benchmarks: rows.benchmarks.filter(({ name }) => isAsked(name)),
    subjects: rows.subjects.filter(hasArm),
    replies: ofBoth(rows.replies),
    verdicts: ofBoth(rows.verdicts),
    evaluations: ofBoth(rows.evaluations),
    metrics: rows.metrics.filter(hasArm),
    spectra: rows.spectra.filter(hasArm),
  }
}
