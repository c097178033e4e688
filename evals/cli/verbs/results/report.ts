/** @file `touchstone report`: results.json and report.html again, from the database alone. */
import { parseNamed } from '../../../runs/options/flags.ts'
import { z } from 'zod'
import type { AuditRows } from '../../../contract/audit-rows.ts'
import { ComparedField } from '../../../contract/gate.ts'
import { requireMeasured, storedGate } from '../../../findings/gate/gate-file.ts'
import type { Command } from '../../command.ts'
import { fieldsOf } from '../../../runs/options/fields.ts'
import { GATE_OPTIONS, gateCodes, readGateFile } from '../../../runs/options/gate-options.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { checkOutputs, EXTENSIONS, writeOutputs, type Written } from '../../../runs/outputs.ts'
import { verdictText } from '../../../document/verdict-text.ts'

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
  ...GATE_OPTIONS,
  allowDifferences: z.array(ComparedField).default([]).meta({
    help: 'Compare although these differ; the report says so',
    value: 'FIELD',
  }),
  exitZero: z.boolean().default(false).meta({ help: 'The gate does not change the exit code' }),
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
    'touchstone report --out-dir out/audit --gate gate.yaml',
  ],
  options: [{ title: 'Options', fields }],
  async run(argv, io) {
    const { options, named: names } = parseNamed(ReportOptions, fields, argv, io)
    checkOutputs(options.output)
    const codes = gateCodes(options.gateExitCode)
    const { results, files } = await rebuild(names[0], options)
    const { verdict, run, gate } = results
    const line = {
      type: 'result',
      runId: run.id,
      verdict: verdict.outcome,
      gate: gate?.outcome ?? null,
      files,
    }
    io.stdout.write(options.json ? `${JSON.stringify(line)}\n` : verdictText(results, files))
    // Only who holds a run against a gate here and now asks for its decision.
    return gate && options.gate !== null && !options.exitZero ? codes[gate.outcome] : 0
  },
}

type Options = z.infer<typeof ReportOptions>

async function rebuild(runId: string | undefined, options: Options): Promise<Written> {
  const gated = gatedBy(options)
  return withNamedRun(runId, options.outDir, ({ store, run, folder }) =>
    writeOutputs(gated(store.rows(run.id)), folder, options.output),
  )
}

/** Puts the gate where the run's own would be, so that everything else is computed as ever. */
function gatedBy({ gate: path, allowDifferences }: Options): (rows: AuditRows) => AuditRows {
  const given = path === null ? undefined : readGateFile(path)
  return (rows) => {
    const gate = given ?? storedGate(rows.run.config)
    if (!gate) return rows
    requireMeasured(given, rows.benchmarks)
    const allowed = [...new Set([...gate.allowDifferences, ...allowDifferences])]
    const config = { ...(rows.run.config as object), gate: { ...gate, allowDifferences: allowed } }
    return { ...rows, run: { ...rows.run, config } }
  }
}
