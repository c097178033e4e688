/** @file `touchstone report`: results.json and report.html again, from the database alone. */
import { z } from 'zod'
import { readArguments } from '../arguments.ts'
import type { Command } from '../command.ts'
import { fieldsOf } from '../fields.ts'
import { assemble, layersOf, refusePositionals } from '../flags.ts'
import { withNamedRun } from '../named-run.ts'
import { checkOutputs, EXTENSIONS, writeOutputs, type Written } from '../outputs.ts'
import { verdictText } from '../verdict-text.ts'

const ReportOptions = z.object({
  outDir: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({ help: 'The folder of the run; its newest run if none is named' }),
  output: z
    .array(z.string().min(1))
    .default([])
    .meta({
      help: `A further file, by its ending: ${EXTENSIONS.join(' ')}`,
      short: 'o',
      repeat: true,
      value: 'FILE',
    }),
  json: z.boolean().default(false).meta({ help: 'One line of JSON on standard output' }),
})

const fields = fieldsOf(ReportOptions)

export const report: Command = {
  name: 'report',
  summary: 'Writes results.json and report.html of a run again, from its database alone.',
  positionals: '[RUN]',
  examples: [
    'touchstone report --out-dir out/audit',
    'touchstone report audit-20260131-120000-1a2b -o card.html',
  ],
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { given, positionals } = readArguments(argv, fields)
    const [runId, ...others] = positionals
    refusePositionals(others)
    const { outDir, output, json } = assemble(
      ReportOptions,
      fields,
      layersOf(fields, given, io.environment),
    )
    checkOutputs(output)
    const { results, files } = await rebuild(runId, outDir, output)
    const { verdict, run } = results
    const line = { type: 'result', runId: run.id, verdict: verdict.outcome, files }
    io.stdout.write(json ? `${JSON.stringify(line)}\n` : verdictText(results, files))
    return 0
  },
}

async function rebuild(
  runId: string | undefined,
  outDir: string | null,
  output: readonly string[],
): Promise<Written> {
  return withNamedRun(runId, outDir, ({ store, run, folder }) =>
    writeOutputs(store.rows(run.id), folder, output),
  )
}
