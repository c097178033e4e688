/**
 * @file Cells of the sweeps of a page of findings, kept with the repository (test/bench/results/double-descent-cells.json), so that
 * the page is printed again without running them. Numbers have five digits; of curves only rates are kept.
 */
import { existsSync, readFileSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { jobFields, readJobRequest } from '../../../../evals/cli/job-options.ts'
import type { AuditRows } from '../../../../evals/contract/audit-rows.ts'
import type { CellResult, PlannedCell, Sweep } from '../../../../evals/contract/sweeps.ts'
import { canonicalJson } from '../../../../evals/files/canonical-json.ts'
import { sha256 } from '../../../../evals/files/digest.ts'
import { sweepVerb } from '../../../../evals/runs/kinds/sweep.ts'
import type { SweepConfig } from '../../../../evals/sweeps/config.ts'
import { openSweepFolder, readResult, writeResult } from '../../../../evals/sweeps/files.ts'
import { sweepOf } from '../../../../evals/sweeps/results.ts'
import { surveyed } from '../../../../evals/sweeps/survey.ts'
import { root } from '../pebble.ts'

const FILE = join(root, 'test', 'bench', 'results', 'double-descent-cells.json')

interface Place {
  readonly line: string
  readonly axes: Readonly<Record<string, number>>
  /** Of every setting but the seed, and of what the numbers depend on beside them. */
  readonly digest: string
  readonly seeds: readonly number[]
  /** One value a seed. */
  readonly metrics: Readonly<Record<string, readonly number[]>>
  /** One list of values a seed. */
  readonly curves: Readonly<Record<string, { x: readonly number[]; y: readonly number[][] }>>
}
type Kept = Record<string, { command: string; planned: number; places: readonly Place[] }>

const readKept = () =>
  existsSync(FILE) ? (JSON.parse(readFileSync(FILE, 'utf8')) as Kept) : ({} as Kept)

/** The cells of a command, and where their results lie under its `--out-dir`. */
async function planned(argv: readonly string[], folder: string) {
  const environment = {}
  const preset = sweepVerb.presetNamed?.(argv, environment) ?? {}
  const fields = jobFields(sweepVerb.schema, true)
  const request = readJobRequest(sweepVerb.schema, fields, { argv, environment, preset })
  const config = request.config() as SweepConfig
  const { cells, benchmarks } = await surveyed(config)
  const path = await openSweepFolder(join(folder, 'sweeps'), cells, false)
  return { config, cells, benchmarks, path }
}

const placeOf = ({ spec, identity }: PlannedCell) =>
  sha256(canonicalJson([{ ...spec, seed: 0 }, identity]))

/** Writes the results that were kept of cells that have none yet. */
export async function restore(name: string, argv: readonly string[], folder: string) {
  const { cells, path } = await planned(argv, folder)
  const kept = readKept()[name]?.places ?? []
  const places = new Map(kept.map((place) => [place.digest, place]))
  for (const cell of cells) {
    const place = places.get(placeOf(cell))
    const at = place?.seeds.indexOf(cell.spec.seed) ?? -1
    if (!place || at < 0 || (await readResult(path, cell.key))) continue
    const metrics = Object.entries(place.metrics).map(([metric, values]) => ({
      name: metric,
      value: values[at]!,
    }))
    const curves = Object.entries(place.curves).map(([curve, { x, y }]) => ({
      ...{ name: curve, x: [...x], y: [...y[at]!] },
    }))
    const { key } = cell
    await writeResult(path, { key, status: 'done', error: null, metrics, curves, seconds: 0 })
  }
}

const digits = (value: number) => Number(value.toPrecision(5))
const isKept = (metric: string) =>
  /error$|^house|held-out-loss$|^(largest|hessian|parameter-norm|effective|intruders)/u.test(metric)
/** Losses are tested where errors are: of replies with noise. */
const isTested = (metric: string, { metrics }: Pick<CellResult, 'metrics'>) =>
  /^(test|train)-error$|^house/u.test(metric) ||
  (metric === 'held-out-loss' && metrics.some(({ name }) => name === 'test-error'))
const isRate = (curve: string) => curve.startsWith('house')

type Done = readonly { readonly cell: PlannedCell; readonly result: CellResult }[]

async function doneOf(cells: readonly PlannedCell[], path: string): Promise<Done> {
  const results = await Promise.all(cells.map(({ key }) => readResult(path, key)))
  return cells.flatMap((cell, i) => {
    const result = results[i]
    return result?.status === 'done' ? { cell, result } : []
  })
}

/** Whether every cell has a result. */
export async function isDone(argv: readonly string[], folder: string): Promise<boolean> {
  const { cells, path } = await planned(argv, folder)
  return (await doneOf(cells, path)).length === cells.length
}

export interface Tested {
  /** Its cells are those that are done. */
  readonly sweep: Sweep
  readonly planned: number
}

/** What is kept of the cells of a sweep, and the tests of its errors and rates on that, so that kept and new cells print the same. */
export async function tested(argv: readonly string[], folder: string): Promise<Tested> {
  const { config, cells, benchmarks, path } = await planned(argv, folder)
  const rows = (await doneOf(cells, path)).map(({ cell, result }) => ({
    ...cell,
    ...result,
    metrics: result.metrics
      .filter(({ name }) => isKept(name))
      .map((metric) => ({ ...metric, value: digits(metric.value) })),
    curves: result.curves
      .filter(({ name }) => isRate(name))
      .map((curve) => ({ ...curve, y: curve.y.map(digits) })),
  }))
  const run = { kind: 'sweep', config }
  const tests = rows.map(({ metrics, ...row }) => ({
    ...row,
    metrics: metrics.filter(({ name }) => isTested(name, { metrics })),
  }))
  const sweep = sweepOf({ run, cells: tests, benchmarks } as unknown as AuditRows)!
  return { sweep: { ...sweep, cells: rows }, planned: cells.length }
}

/** Keeps what is done of a sweep. */
export async function keep(name: string, argv: readonly string[], folder: string): Promise<void> {
  const { cells, path } = await planned(argv, folder)
  const done = await doneOf(cells, path)
  const groups = Map.groupBy(done, ({ cell }) => placeOf(cell)).values()
  const places = Array.from(groups, (group): Place => {
    const [{ cell, result }] = group as [(typeof group)[number]]
    const named = <T extends { name: string }>(list: readonly T[], metric: string) =>
      list.find((each) => each.name === metric)!
    const metrics = result.metrics.map((metric) => metric.name).filter(isKept)
    const curves = result.curves.filter((curve) => isRate(curve.name))
    return {
      line: cell.spec.line,
      axes: cell.spec.axes,
      digest: placeOf(cell),
      seeds: group.map((each) => each.cell.spec.seed),
      metrics: Object.fromEntries(
        metrics.map((metric) => [
          metric,
          group.map((each) => digits(named(each.result.metrics, metric).value)),
        ]),
      ),
      curves: Object.fromEntries(
        curves.map(({ name: curve, x }) => [
          curve,
          { x, y: group.map((each) => named(each.result.curves, curve).y.map(digits)) },
        ]),
      ),
    }
  })
  const all = readKept()
  all[name] = { command: `touchstone sweep ${argv.join(' ')}`, planned: cells.length, places }
  // Lists of numbers stand on one line each.
  const text = JSON.stringify(all, null, 1).replaceAll(/\[[-\d.e,\s]*\]/gu, (list) =>
    list.replaceAll(/\s+/gu, ' '),
  )
  writeFileSync(FILE, `${text}\n`)
}
