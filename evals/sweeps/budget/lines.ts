/** @file From a configuration to lines: each a base, a method and a place with one seed, and its cells in ascending budget. */
import { keyOf } from '../../contract/keys.ts'
import type { CellResult, ModelCellSpec, PlannedCell } from '../../contract/sweeps.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { canonicalJson } from '../../files/canonical-json.ts'
import { AXES, findAxis } from '../axes.ts'
import { BASE_LINE, cellKey, planCells } from '../cells/cell.ts'
import { parseAxis, type AxisValues } from '../cells/values.ts'
import { SweepConfig } from '../config.ts'
import type { BudgetConfig } from './config.ts'
import type { Found, Known } from './search.ts'

export const modelsOf = ({ model, against }: BudgetConfig): string[] =>
  against === null ? [model] : [model, against]

/** The budgets, ascending: `refine` from each given value to the next, by equal ratios. */
export function budgetsOf({ along, refine }: BudgetConfig): AxisValues {
  const { name, values } = parseAxis(along, '--along')
  const axis = findAxis(name)
  if (axis.scale !== 'log') {
    const budgets = AXES.filter(({ scale }) => scale === 'log').map((each) => each.name)
    const remedy = `Search along one of: ${budgets.join(', ')}.`
    throw usageError(`${axis.title} is no budget of which more does more harm.`, remedy)
  }
  const wrong = values.find((value) => !axis.accepts(value))
  if (wrong !== undefined)
    throw usageError(`--along ${name} cannot be ${wrong}.`, `Give ${axis.values}.`)
  const between = values.slice(1).flatMap((to, i) => {
    const from = values[i]!
    return Array.from({ length: refine }, (_, k) => from * (to / from) ** ((k + 1) / refine))
  })
  const all = [values[0]!, ...between].map((value) =>
    axis.accepts(value) ? Number(value.toPrecision(6)) : Math.round(value),
  )
  const budgets = [...new Set(all)].sort((a, b) => a - b)
  if (budgets.length >= 2) return { name, values: budgets }
  throw usageError(
    `--along ${along} holds one budget; there is nothing to search in.`,
    'Give at least two values, such as --along steps=1..256.',
  )
}

/** The sweep of one base whose cells are all that the search may try. */
export function sweepOfBudget(
  config: BudgetConfig,
  model: string,
  isSearched: boolean,
): SweepConfig {
  const { name, values } = budgetsOf(config)
  const { evalEvery, training } = config
  return SweepConfig.parse({
    ...config,
    model,
    axes: isSearched ? [`${name}=${values.join(',')}`, ...config.axes] : [],
    evalEvery: isSearched ? null : (evalEvery ?? Math.max(1, Math.floor(training.steps / 8))),
  })
}

/** Every cell that may be tried, of each base in turn; each is held against the gate. */
export function budgetCells(
  plans: readonly (readonly PlannedCell[])[],
  margin: number,
): PlannedCell[] {
  return plans
    .flat()
    .filter(({ spec }) => spec.line !== BASE_LINE)
    .map(({ spec, identity }, position) => {
      const gated = { ...(spec as ModelCellSpec), gate: { margin } }
      return { position, key: cellKey(gated, identity), spec: gated, identity }
    })
}

const NOTHING = { base: null, data: null, prompts: null, numerics: '' }

const unopened = (config: BudgetConfig): PlannedCell[] =>
  budgetCells(
    modelsOf(config).map((model) => planCells(sweepOfBudget(config, model, true), NOTHING)),
    config.margin,
  )

/** How many cells a search may try. */
export const countCells = (config: BudgetConfig): number => unopened(config).length

/** For configurations that are wrong before anything is opened. */
export function checkBudget(config: BudgetConfig): void {
  const { name } = budgetsOf(config)
  const without = unopened(config).find(({ spec }) => !(name in spec.axes))
  if (!without) return
  throw usageError(
    `The method ${without.spec.line} has no ${name}, so there is no budget to search along.`,
    'Name another budget with --along, or another method.',
  )
}

export interface Line<C extends PlannedCell = PlannedCell> {
  readonly key: string
  /** Of a model; the same for every seed of a place. */
  readonly place: string
  /** Ascending in the budget. */
  readonly cells: readonly C[]
}

const specOf = ({ spec }: PlannedCell) => spec as ModelCellSpec

/** Lines of cells that differ in the budget `along` alone. */
export function linesOf<C extends PlannedCell>(cells: readonly C[], along: string): Line<C>[] {
  const placeOf = (cell: C) => {
    const { model, line, axes } = specOf(cell)
    return keyOf(model, line, canonicalJson({ ...axes, [along]: 0 }))
  }
  const groups = Map.groupBy(cells, (cell) => keyOf(placeOf(cell), cell.spec.seed))
  return [...groups].map(([key, members]) => ({
    key,
    place: placeOf(members[0]!),
    cells: members.toSorted((a, b) => budgetOf(a, along) - budgetOf(b, along)),
  }))
}

export const budgetOf = ({ spec }: PlannedCell, along: string): number => spec.axes[along]!

/** What the gate said of those cells of a line that have a result. */
export function knownOf(
  { cells }: Line,
  resultOf: (cell: PlannedCell) => Pick<CellResult, 'status' | 'gate'> | undefined,
): Known {
  return new Map(
    cells.flatMap((cell, at) => {
      const result = resultOf(cell)
      return result ? [[at, foundIn(result)] as const] : []
    }),
  )
}

function foundIn({ status, gate }: Pick<CellResult, 'status' | 'gate'>): Found {
  if (status === 'failed' || !gate || gate.outcome === 'NOT COMPARABLE') return 'error'
  return gate.outcome === 'FAIL' ? 'failed' : 'held'
}
