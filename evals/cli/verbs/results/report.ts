/** @file `touchstone report`: results.json and report.html again, from the database alone. */
import { z } from 'zod'
import type { AuditRows } from '../../../contract/audit-rows.ts'
import { ComparedField } from '../../../contract/gate.ts'
import { requireMeasured, storedGate } from '../../../findings/gate/gate-file.ts'
import { command } from '../../command.ts'
import { exitZero, runFolder } from '../../../runs/options/common.ts'
import { GATE_OPTIONS, gateCodes, gateOf } from '../../../runs/options/gate-options.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { withReference } from '../../../runs/reference.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import { checkOutputs, outputOption, writeOutputs, type Written } from '../../../runs/outputs.ts'
import { verdictText } from '../../../document/terminal.ts'

const ReportOptions = z.object({
  outDir: runFolder,
  output: outputOption,
  ...GATE_OPTIONS,
  allowDifferences: z.array(ComparedField).default([]).meta({
    help: 'Compare although these differ; the report says so',
    value: 'FIELD',
  }),
  exitZero,
})

export const report = command({
  schema: ReportOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone report --out-dir out/audit',
    'touchstone report audit-20260131-120000-1a2b -o card.html',
    'touchstone report --out-dir out/audit --gate gate.yaml',
    'touchstone report --out-dir out/audit --plan plan.signed',
  ],
  async run({ options, named: [runId], tell }) {
    checkOutputs(options.output)
    const codes = gateCodes(options.gateExitCode)
    const { results, files } = await rebuild(runId, options)
    const { verdict, run, gate } = results
    const line = {
      type: 'result',
      runId: run.id,
      verdict: verdict.outcome,
      gate: gate?.outcome ?? null,
      files,
    }
    tell(line, verdictText(results, files))
    // Only who holds a run against a gate here and now asks for its decision.
    const isAsked = (options.gate ?? options.reference ?? options.plan) !== null
    return gate && isAsked && !options.exitZero ? codes[gate.outcome] : 0
  },
})

type Options = z.infer<typeof ReportOptions>

async function rebuild(runId: string | undefined, options: Options): Promise<Written> {
  return withNamedRun(runId, options.outDir, async ({ store, run, folder }) =>
    writeOutputs(await gatedBy(options, store.rows(run.id)), folder, options.output),
  )
}

/** Puts the gate where the run's own would be, so that everything else is computed as ever. */
async function gatedBy(options: Options, rows: AuditRows): Promise<AuditRows> {
  const given = gateOf(options, Margin.safeParse(rows.run.config).data?.margin)
  const gate = given ?? storedGate(rows.run.config)
  if (!gate) return rows
  const plain = rows.benchmarks.filter(({ context }) => !context)
  requireMeasured(given ?? undefined, plain)
  const allowed = [...new Set([...gate.allowDifferences, ...options.allowDifferences])]
  const config = {
    ...(rows.run.config as object),
    gate: { ...gate, allowDifferences: allowed },
    ...(options.plan !== null && { plan: readPlanFile(options.plan) }),
  }
  return withReference({ ...rows, run: { ...rows.run, config } }, gate)
}

const Margin = z.object({ margin: z.number() })
