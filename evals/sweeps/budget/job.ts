/** @file The job `budget`: searches each line for the smallest budget at which the gate says FAIL, and runs no other cell. */
import { counted } from '../../contract/words.ts'
import type { JobContext, JobKind, PlanLine } from '../../contract/job.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import type { PlannedCell } from '../../contract/sweeps.ts'
import { usageError } from '../../errors/touchstone-error.ts'
import { armNameOf } from '../../finetune/method-choice.ts'
import { isHouseModel } from '../../measure/house-model.ts'
import { local } from '../../runtime/schedulers/local.ts'
import { openCellRuns, type CellRuns } from '../cells/cell-runs.ts'
import { estimateTime } from '../estimate.ts'
import { jobsOf, surveyed, type Survey } from '../survey.ts'
import { BUDGET, BudgetConfig } from './config.ts'
import { budgetCells, budgetsOf, knownOf, linesOf, modelsOf, sweepOfBudget } from './lines.ts'
import { nextBudget, type Known } from './search.ts'

export const budgetJob: JobKind<BudgetConfig> = {
  name: BUDGET,
  config: BudgetConfig,
  title: (config) =>
    `Budget of ${config.methods.map(armNameOf).join(', ')} on ${config.data}, ${modelsOf(config).join(' and ')}, along ${config.along}`,
  plan: async (config) => planLines(await surveyedAll(config), config),
  async run(config, context, progress) {
    const { benchmarks, cells, isSearched, first } = await surveyedAll(config)
    benchmarks.forEach((row) => context.emit({ type: 'benchmark', row }))
    const { retryErrors } = config
    const opening = { retryErrors, scheduler: local, rows: progress.rows() }
    const runs = await openCellRuns(cells, context, opening)
    runs.begin(cells.length)
    const jobs = jobsOf(config, local, first.size)
    if (!isSearched) await runs.run(await runs.settle(cells), jobs)
    else await search({ cells, along: budgetsOf(config).name, jobs, runs, context })
    runs.end()
  },
}

interface Search {
  readonly cells: readonly PlannedCell[]
  readonly along: string
  readonly jobs: number
  readonly runs: CellRuns
  readonly context: JobContext
}

/** Each round tries the next budget of every line that is not done. */
async function search({ cells, along, jobs, runs, context }: Search): Promise<void> {
  const lines = linesOf(cells, along)
  for (;;) {
    context.signal.throwIfAborted()
    const next = lines.flatMap((line) => {
      const at = nextBudget(
        knownOf(line, (cell) => runs.resultOf(cell)),
        line.cells.length,
        line.key,
      )
      return at === undefined ? [] : [line.cells[at]!]
    })
    if (next.length === 0) return
    await runs.run(await runs.settle(next), jobs)
  }
}

interface Surveyed {
  readonly cells: readonly PlannedCell[]
  readonly benchmarks: readonly BenchmarkRow[]
  readonly first: Survey
  /** False for a model that is not Pebble: its one configuration is followed over its steps, and nothing is searched. */
  readonly isSearched: boolean
}

async function surveyedAll(config: BudgetConfig): Promise<Surveyed> {
  const houses = await Promise.all(modelsOf(config).map(isHouseModel))
  const isSearched = houses.every((isHouse) => isHouse)
  if (!isSearched) refuseSearch(config)
  const surveys: Survey[] = []
  for (const model of modelsOf(config)) {
    surveys.push(await surveyed(sweepOfBudget(config, model, isSearched)))
  }
  const [first, second] = surveys
  if (second) requireOther(first!, second, config)
  const plans = surveys.map(({ cells }) => cells)
  const cells = isSearched ? budgetCells(plans, config.margin) : plans.flat()
  return { cells, benchmarks: first!.benchmarks, first: first!, isSearched }
}

/** A line would hold every budget twice, and a base beside itself says nothing. */
function requireOther(first: Survey, second: Survey, { against }: BudgetConfig): void {
  const baseOf = ({ cells }: Survey) => cells[0]!.identity.base
  if (baseOf(first) !== baseOf(second)) return
  throw usageError(
    `${against} has the weights of the model that it is to be held against.`,
    'Name another training of Pebble with --against, or leave it out.',
  )
}

/** Of a model that people use no smallest budget is looked for, and configurations are not ranked. */
function refuseSearch(config: BudgetConfig): void {
  const { against, axes, methods, purpose, along } = config
  const isDefault = along === BudgetConfig.shape.along.parse(undefined)
  const isOne = against === null && axes.length === 0 && methods.length === 1 && isDefault
  if (isOne && purpose !== null) return
  throw usageError(
    'This is not a training of Pebble. Of any other model one configuration is followed over its steps; no smallest budget is searched and nothing is ranked.',
    'Give one --methods and --purpose TEXT, and leave --along, --axis and --against out.',
  )
}

/** As if the gate began to fail half way along each line. */
async function planLines(surveyed: Surveyed, config: BudgetConfig): Promise<PlanLine[]> {
  const { cells, first, isSearched } = surveyed
  const lines = isSearched ? linesOf(cells, budgetsOf(config).name) : []
  const tried = isSearched ? lines.flatMap(triedHalfWay) : cells
  const jobs = jobsOf(config, local, first.size)
  const { seconds, from } = await estimateTime(tried, first.cellSeconds)
  const most = isSearched
    ? `${counted(lines.length, 'line')} by bisection among ${counted(cells.length, 'cell')}, as if each began to fail half way`
    : 'one configuration over its steps'
  return [
    {
      what: `${most}; ${counted(jobs, 'cell')} at a time; time ${from}`,
      count: tried.length,
      unit: 'cell',
      seconds: seconds === undefined ? null : seconds / jobs,
    },
  ]
}

function triedHalfWay(line: ReturnType<typeof linesOf>[number]): PlannedCell[] {
  const known: Known & Map<number, 'failed' | 'held'> = new Map()
  for (;;) {
    const at = nextBudget(known, line.cells.length, line.key)
    if (at === undefined) return [...known.keys()].map((place) => line.cells[place]!)
    known.set(at, 2 * at >= line.cells.length ? 'failed' : 'held')
  }
}
