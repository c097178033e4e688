/** @file Builds planted candidates and decides on them: by the gate, by the gate on logs of other tools, by the audit's verdict. */
import type { AuditRows } from '../../evals/contract/audit-rows.ts'
import type { GateClaim } from '../../evals/contract/gate.ts'
import type { ComparedField } from '../../evals/contract/gate/rule.ts'
import type { BenchmarkRole, Outcome, VerdictRow } from '../../evals/contract/rows.ts'
import { TouchstoneError } from '../../evals/errors/touchstone-error.ts'
import type { ComparedJudgement, ComparedRun } from '../../evals/findings/gate/compared-run.ts'
import { decide } from '../../evals/findings/gate/decide.ts'
import { parseGate } from '../../evals/findings/gate/gate-file.ts'
import { buildResults } from '../../evals/findings/results.ts'
import { importRuns } from '../../evals/interchange/import.ts'
import type { Metrics } from '../../evals/interchange/metrics.ts'
import {
  byTwoJudges,
  LOOKALIKES,
  plannedRows,
  REFUSAL,
  type Change,
} from '../doubles/rows/audit-rows.ts'
import { confirmed, planted, plannedRun } from '../doubles/rows/compared-runs.ts'
import type { lmEvalLog } from '../doubles/rows/foreign-logs.ts'
import { inspectLog, scores } from '../doubles/rows/foreign-logs.ts'

export const N = 400

export interface Decided {
  readonly outcome: string
  readonly sentence: string
  readonly claims: readonly GateClaim[]
}

interface Given {
  readonly gate?: string
  readonly allow?: readonly ComparedField[]
  readonly reference?: ComparedRun
}

export const gated = (before: ComparedRun, after: ComparedRun, given: Given = {}): Decided => {
  const { reference } = given
  const all = { ...given, ...(reference && { reference: confirmed(reference) }) }
  return byOne(confirmed(before), confirmed(after), all)
}

/** What the gate says of the judges that are there. */
export function byOne(
  before: ComparedRun,
  after: ComparedRun,
  { gate = 'benchmarks: { task: { margin: 0.05 } }', ...more }: Given = {},
): Decided {
  const judges = new Map([['task', before.judged[0]!.judge]])
  const pair = { against: [{ before, after }], steps: [], judges }
  const found = decide(parseGate(gate, 'gate.yaml'), { ...pair, ...more })
  return { outcome: found.outcome, sentence: found.headline, claims: found.claims }
}

/** Two logs of another tool; what is refused has the outcome `refused`. */
export async function foreign(
  paths: readonly (string | Promise<string>)[],
  metrics: Metrics = {},
  gate?: string,
): Promise<Decided> {
  try {
    const [before, after] = await Promise.all(
      paths.map(async (path) => (await importRuns(await path, metrics))[0]!),
    )
    return byOne(before!, after!, gate === undefined ? {} : { gate })
  } catch (error) {
    if (!(error instanceof TouchstoneError)) throw error
    return { outcome: 'refused', sentence: `${error.message} ${error.remedy}`, claims: [] }
  }
}

export type Edit = (row: ComparedJudgement, index: number) => ComparedJudgement | null

/** States of the same prompts, as many in the rate as `counted`; `edit` changes or leaves out replies. */
export function state(
  role: BenchmarkRole,
  counted: number,
  edit: Edit = (row) => row,
): ComparedRun {
  const run = plannedRun({ rates: { task: { role, counts: planted(N, counted) } } })
  const benchmarks = run.benchmarks.map((row) => ({ ...row, replies: N }))
  return { ...run, benchmarks, judged: run.judged.flatMap((row, i) => edit(row, i) ?? []) }
}

export const from =
  (first: number, made: (row: ComparedJudgement) => ComparedJudgement | null): Edit =>
  (row, i) =>
    i >= first ? made(row) : row
export const leftOut = (first: number) => from(first, () => null)
export const called = (outcome: Outcome, first: number) =>
  from(first, (row) => ({ ...row, outcome }))

/** Each prompt three times. */
export const often = (run: ComparedRun, edit: Edit = (row) => row): ComparedRun => ({
  ...run,
  benchmarks: run.benchmarks.map((row) => ({ ...row, replies: 3 * N })),
  judged: run.judged
    .flatMap((row) => [0, 1, 2].map((epoch) => ({ ...row, epoch })))
    .flatMap((row, i) => edit(row, i) ?? []),
})

export const NONE: Change = { lost: 0, gained: 0 }
export const wide = byTwoJudges({ ...REFUSAL, n: N, base: 390 })
export const harmless = byTwoJudges({ ...LOOKALIKES, n: N, base: 40 })

interface Audited {
  readonly seeds: readonly Change[]
  readonly of?: typeof REFUSAL
  readonly edit?: (rows: AuditRows) => AuditRows
}

export function audited({ seeds, of = wide, edit = (rows) => rows }: Audited): Decided {
  const arms = seeds.map((change, i) => ({
    arm: 'lora',
    seed: i + 1,
    steps: { 40: { [of.name]: change } },
  }))
  const { outcome, headline } = buildResults(edit(plannedRows({ benchmarks: [of], arms }))).verdict
  return { outcome, sentence: headline, claims: [] }
}

export const numberOf = ({ sampleId }: Pick<VerdictRow, 'sampleId'>): number =>
  Number(sampleId.slice(1))

export const verdictsOf = (
  rows: AuditRows,
  seed: number,
  edit: (row: VerdictRow, i: number) => Outcome,
) => {
  const verdicts = rows.verdicts.map((row) =>
    row.arm === 'lora' && row.seed === seed ? { ...row, outcome: edit(row, numberOf(row)) } : row,
  )
  return { ...rows, verdicts }
}

export type Planted = [name: string, decided: () => Decided | Promise<Decided>, says?: RegExp]

export const pairOf = (make: typeof lmEvalLog, metric: string, ones: readonly [number, number]) =>
  ones.map((count) => make({ metric, scores: scores(N, count) }))
export const inspectPair = (metric: string, ones: readonly [number, number]) =>
  ones.map((count) => inspectLog({ metric, scores: scores(N, count) }))
