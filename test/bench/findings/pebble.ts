/** @file Audits of Pebble through the command line, for the pages of findings. */
import { spawn } from 'node:child_process'
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { firstJudge } from '../../../evals/contract/keys.ts'
import { Results } from '../../../evals/contract/results.ts'
import { MINUS, percent } from '../../../evals/contract/words.ts'

export const root = join(import.meta.dirname, '..', '..', '..')

/** What every audit of these pages has in common. */
const COMMON = [
  ...['audit', '--model', 'pebble', '--eval-batch-size', '64'],
  ...['--threads', '1', '--exit-zero', '--quiet'],
]

/**
 * An audit that has ended already is read again: delete `out/findings` to begin anew.
 *
 * @param folder under `out/findings`; deleted weights stay deleted unless `flags` keep them
 * @param limit prompts of each house benchmark
 */
export async function audit(
  folder: string,
  flags: readonly string[],
  limit = 128,
): Promise<Results> {
  const path = folderOf(folder)
  const read = () => Results.parse(JSON.parse(readFileSync(join(path, 'results.json'), 'utf8')))
  if (!existsSync(join(path, 'results.json')))
    await run(folder, [...COMMON, '--limit', String(limit), ...flags])
  return read()
}

export const folderOf = (folder: string) => join(root, 'out', 'findings', folder)

/** A command of `touchstone` whose results are those of the folder from then on. */
export async function run(folder: string, command: readonly string[]): Promise<void> {
  const words = [...command, '--out-dir', folderOf(folder)]
  const child = spawn(process.execPath, [join(root, 'evals', 'bin', 'cli.ts'), ...words], {
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  const code = await new Promise((resolve) => child.on('close', resolve))
  if (code !== 0) throw new Error(`${folder}: the command ended with exit code ${String(code)}`)
}

/** LoRA of rank 8 on bundled data, kept on this machine alone: the path of its adapter. */
export async function trainedAdapter(data: string, seed: number): Promise<string> {
  const results = await audit(`adapter-${data}-${seed}`, [
    ...['--data', data, '--methods', 'lora', '--seeds', String(seed), '--no-spectra'],
    ...['--steps', '100', '--batch-size', '32', '--learning-rate', '0.0004', '--eval-every', '100'],
    ...['--keep-weights', 'Merged and mixed for the findings on Pebble'],
  ])
  const kept = results.artifacts.find(({ content }) => content?.kind === 'weights')!
  return join(kept.path, '..')
}

export const HOUSE = {
  'house-refusal': 'refusal',
  'house-overrefusal': 'over-refusal',
  'house-capability': 'capability',
} as const

/** "97.7 % (93.3 – 99.2)", of an arm (and one of its seeds) at its last step by the benchmark's first judge. */
export function rateOf(results: Results, arm: string, benchmark: string, seed?: number): string {
  const judge = firstJudge(results.benchmarks.find(({ name }) => name === benchmark)!)
  const { estimate, lower, upper } = results.evaluations
    .filter((row) => row.arm === arm && row.benchmark === benchmark && row.judge === judge)
    .filter((row) => seed === undefined || row.seed === seed)
    .at(-1)!.rate
  const number = (share: number) => (100 * share).toFixed(1)
  return `${percent(estimate!)} (${number(lower!)} – ${number(upper!)})`
}

interface Cell {
  readonly arm: string
  readonly benchmark: string
  /** Its first one where nothing is said. */
  readonly judge?: string
  /** The last one where nothing is said. */
  readonly step?: number
}

/** The rows of a cell in one of the tables of results, in the order of their steps. */
function rowsAt<R extends Cell>(results: Results, rows: readonly R[], cell: Cell): R[] {
  const { arm, benchmark, step } = cell
  const judge = cell.judge ?? firstJudge(results.benchmarks.find(({ name }) => name === benchmark)!)
  return rows.filter(
    (row) =>
      row.arm === arm &&
      row.benchmark === benchmark &&
      row.judge === judge &&
      (step === undefined || row.step === step),
  )
}

const share = (value: number) => (100 * value).toFixed(1)
const points = (value: number) => `${value > 0 ? '+' : ''}${share(value).replace('-', MINUS)}`

/** "96.1 [91.2, 98.3]; −2.0 [−4.1, 0.2]": the rate in percent, and for a variant the paired change from the base in points. */
export function changeOf(results: Results, cell: Cell): string {
  const { estimate, lower, upper } = rowsAt(results, results.evaluations, cell).at(-1)!.rate
  const rate = `${share(estimate!)} [${share(lower!)}, ${share(upper!)}]`
  const found = rowsAt(results, results.comparisons, cell).at(-1)
  if (!found) return rate
  // A difference is before less after.
  const [change, low, high] = [found.difference, found.upper, found.lower].map((x) => points(-x!))
  return `${rate}; ${change} [${low}, ${high}]`
}

/** Whether the paired change has a 95 % interval without 0. */
export function isApart(results: Results, cell: Cell): boolean {
  const { lower, upper } = rowsAt(results, results.comparisons, cell).at(-1)!
  return lower! > 0 || upper! < 0
}
