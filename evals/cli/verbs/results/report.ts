/** @file `touchstone report`: results.json and report.html again, from the database alone. */
import { join } from 'node:path'
import { z } from 'zod'
import type { AuditRows } from '../../../contract/audit-rows.ts'
import { ComparedField } from '../../../contract/gate/rule.ts'
import { usageError } from '../../../errors/touchstone-error.ts'
import { readJson } from '../../../files/read-file.ts'
import { requireMeasured, storedGate } from '../../../findings/gate/gate-file.ts'
import { command } from '../../command.ts'
import { exitZero, runFolder, text } from '../../../runs/options/common.ts'
import { GATE_OPTIONS, gateCodes, gateOf } from '../../../runs/options/gate-options.ts'
import { readPlanFile } from '../../../runs/options/plan-file.ts'
import { withReference } from '../../../runs/reference.ts'
import { withNamedRun } from '../../../runs/named-run.ts'
import {
  checkOutputs,
  outputOption,
  writeFiles,
  writeOutputs,
  type Written,
} from '../../../runs/outputs.ts'
import { plainText } from '../../../document/plain-text.ts'
import { rowAt } from '../../../document/pointers.ts'
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
  row: text.nullable().default(null).meta({
    help: 'Print the row of results.json that has this id in the report, and write nothing',
    value: 'ID',
  }),
})

export const report = command({
  schema: ReportOptions,
  positionals: '[RUN]',
  examples: [
    'touchstone report --out-dir out/audit',
    'touchstone report audit-20260131-120000-1a2b -o card.html',
    'touchstone report --out-dir out/audit --gate gate.yaml',
    'touchstone report --out-dir out/audit --plan plan.signed',
    'touchstone report --out-dir out/audit --row gate/claims/0',
  ],
  async run({ options, named: [runId], tell }) {
    if (options.row !== null) {
      const row = await rowOf(runId, options.outDir, options.row)
      return tell({ type: 'row', id: options.row, row }, `${JSON.stringify(row, null, 2)}\n`)
    }
    checkOutputs(options.output)
    const codes = gateCodes(options.gateExitCode)
    const { results, files } = await rebuild(runId, options)
    const { verdict, run, gate } = results
    // Only who holds a run against a gate here and now asks for its decision.
    const isAsked = (options.gate ?? options.reference ?? options.plan) !== null
    const decided = gate?.outcome ?? (isAsked ? 'NOT COMPARABLE' : null)
    const line = {
      type: 'result',
      runId: run.id,
      verdict: verdict.outcome,
      gate: decided,
      files,
    }
    const nothing = isAsked && !gate ? `Gate: NOT COMPARABLE  ${verdict.headline}\n\n` : ''
    tell(line, `${nothing}${verdictText(results, files)}`)
    return decided && isAsked && !options.exitZero ? codes[decided] : 0
  },
})

type Options = z.infer<typeof ReportOptions>

async function rebuild(runId: string | undefined, options: Options): Promise<Written> {
  return withNamedRun(runId, options.outDir, async ({ store, run, folder }) =>
    writeOutputs(await gatedBy(options, store.rows(run.id)), folder, options.output),
  )
}

/** Of the `results.json` beside the report; computed again where there is none of this run. */
async function rowOf(runId: string | undefined, outDir: string | null, id: string) {
  const row = await withNamedRun(runId, outDir, async ({ store, run, folder }) => {
    const written = await readJson(join(folder, 'results.json'), MOST_BYTES).catch(() => null)
    const isOwn = OfRun.safeParse(written).data?.run.id === run.id
    return rowAt(isOwn ? written : (await writeFiles(store.rows(run.id), [])).results, id)
  })
  if (row !== undefined) return row
  throw usageError(
    `Nothing stands at ${plainText(id)} in the results of this run.`,
    'Give an id as the report prints it at the end of a row, such as comparisons/12.',
  )
}

const MOST_BYTES = 2 ** 29
const OfRun = z.object({ run: z.object({ id: z.string() }) })

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
