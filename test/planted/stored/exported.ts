/**
 * @file Logs that our own runs were exported as, of runs that looked on the way: a log holds no looks, so that α, which these have
 * spent, would be spent a second time.
 */
import { mkdirSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { FORMATS, lmEvalFolders, type Exported } from '../../../evals/interchange/formats.ts'
import { CAPABILITY, plannedRows } from '../../doubles/rows/audit-rows.ts'
import { freshFolder } from '../../doubles/runs/command-line.ts'
import { N, type Planted } from '../candidate.ts'
import { compared } from '../log-parts.ts'

/** Of so many prompts, of which all that are there were asked. */
function rowsOf(prompts: number | null): AuditRows {
  const planned = plannedRows({
    benchmarks: [{ ...CAPABILITY, n: N, base: 390 }],
    arms: [{ arm: 'lora', seed: 1, steps: { 40: { [CAPABILITY.name]: { lost: 1, gained: 0 } } } }],
  })
  const replies = planned.replies.map((row) =>
    row.arm === 'lora' ? { ...row, text: `${row.text} Or so ${row.sampleId}.` } : row,
  )
  const rows = { ...planned, replies }
  if (prompts === null) return rows
  const looks = {
    rule: { spending: 'pocock', looks: 2, seed: 0, futility: 0 } as const,
    order: Array.from({ length: prompts }, (_, i) => `s${i}`),
    seen: [N, ...(prompts > N ? [prompts] : [])].map((seen) => ({ prompts: seen, units: seen })),
  }
  return { ...rows, benchmarks: rows.benchmarks.map((row) => ({ ...row, looks })) }
}

/** The files of each state, the base's first. */
function written(exported: readonly Exported[], ending: RegExp): string[] {
  const folder = freshFolder()
  return exported.flatMap(({ name, parts }) => {
    const path = join(folder, `run${name}`)
    mkdirSync(dirname(path), { recursive: true })
    writeFileSync(path, Buffer.concat(parts.map((part) => Buffer.from(part))))
    return ending.test(path) ? [path] : []
  })
}

const inFormat = async (name: string, rows: AuditRows, ending: RegExp) =>
  written(await FORMATS.find((each) => each.name === name)!.write(rows, buildResults(rows)), ending)
const EXPORTS: Readonly<Record<string, (rows: AuditRows) => string[] | Promise<string[]>>> = {
  'lm-eval': (rows) => written(lmEvalFolders(rows), /results_/u).map(dirname),
  Inspect: (rows) => inFormat('inspect', rows, /\.eval$/u),
  'Every Eval Ever': (rows) => inFormat('eee', rows, /\.eee\.json$/u),
  CSV: async (rows) => {
    const [path] = await inFormat('csv', rows, /\.csv$/u)
    return [path!, path!]
  },
}
const exports = Object.entries(EXPORTS)

async function exported(to: (typeof EXPORTS)[string], prompts: number | null) {
  const [before, after] = await to(rowsOf(prompts))
  return compared([before!, after!], [], before === after ? ['base', 'lora'] : [])
}

/** Of a fine-tune that one run looked at before. */
async function again(to: (typeof EXPORTS)[string]) {
  const [before, after] = await to({ ...rowsOf(null), looked: 1 })
  return compared([before!, after!], [], before === after ? ['base', 'lora'] : [])
}

/** As the reference of two runs without looks. */
async function since(to: (typeof EXPORTS)[string]) {
  const [run] = await to(rowsOf(1500))
  const [before, after] = await to(rowsOf(null))
  const arms = before === after ? ['base', 'lora'] : []
  return compared([before!, after!], [], arms, { reference: { run } })
}

export const EXPORTED: Planted[] = exports.flatMap(([tool, to]): Planted[] => [
  [
    `a run that stopped at its first look, exported, ${tool}`,
    () => exported(to, 1500),
    /pocock, at look 1 of 2, after 400 of 1500 prompts.*itself/,
  ],
  [
    `a run that asked every prompt with looks, exported, ${tool}`,
    () => exported(to, N),
    /pocock, at look 1 of 1, after all 400 prompts.*itself/,
  ],
  [
    `a run of a fine-tune that was looked at before, exported, ${tool}`,
    () => again(to),
    /after 1 earlier run.*itself/,
  ],
  [
    `a reference that stopped at its first look, exported, ${tool}`,
    () => since(to),
    /pocock, at look 1 of 2, after 400 of 1500 prompts.*itself/,
  ],
])

export const EXPORTED_WHOLE: Planted[] = exports.map(([tool, to]) => [
  `a run without looks, exported, ${tool}`,
  () => exported(to, null),
])
