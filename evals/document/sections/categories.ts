/** @file Rates by category of prompt: the base with its interval, each arm as mean and range over its seeds. */
import { namesClasses } from '../../contract/rows.ts'
import type { CategoryChange, CategoryRate, Results } from '../../contract/results.ts'
import { counted, percent, pValueText, signedPoints } from '../../contract/words.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { groupedTable, type Column } from '../table.ts'
import {
  armsOf,
  atLastStep,
  firstJudge,
  intervalText,
  isBase,
  rateText,
  stateName,
} from '../view.ts'

interface Row {
  readonly benchmark: string
  readonly category: string
  readonly rates: readonly CategoryRate[]
}

export function categoriesSection(results: Results): Markup {
  const last = atLastStep(results.categories)
  const rows = results.benchmarks.flatMap((benchmark) => {
    const mine = last.filter(
      (row) => row.benchmark === benchmark.name && row.judge === firstJudge(benchmark),
    )
    return [...Map.groupBy(mine, ({ category }) => category)].map(([category, rates]): Row => ({
      benchmark: benchmark.title,
      category,
      rates,
    }))
  })
  if (rows.length === 0) return html``
  const arms = armsOf(results).filter((arm) => arm !== 'base')
  const base = ({ rates }: Row) => rates.find(isBase)?.rate
  const columns: Column<Row>[] = [
    { head: 'Category', cell: ({ category }) => category },
    { head: 'Prompts', cell: (row) => base(row)?.n ?? row.rates[0]!.rate.n, kind: 'number' },
    { head: 'Base', cell: (row) => base(row) && rateText(base(row)!), kind: 'number' },
    { head: '95 % interval', cell: (row) => base(row) && intervalText(base(row)!), kind: 'number' },
    ...arms.map((arm): Column<Row> => ({
      head: arm,
      cell: ({ rates }) => rangeText(rates.filter((row) => row.arm === arm)),
      kind: 'number',
    })),
  ]
  return html`<h2>${namesClasses(results) ? 'Recall by class' : 'By category'}</h2>
    <p>
      The base with its Wilson interval; each arm at its last step as the mean over its seeds, with
      the lowest and highest seed.
    </p>
    ${groupedTable(columns, rows, ({ benchmark }) => benchmark)} ${changesText(results)}`
}

/** What stands at 5 % after Holm over every category of every benchmark, arm and seed. */
const LEVEL = 0.05

function changesText({ categoryChanges, benchmarks }: Results): Content {
  if (categoryChanges.length === 0) return false
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  const stand = categoryChanges.filter(({ holmP }) => holmP <= LEVEL)
  const tests = counted(categoryChanges.length, 'test')
  if (stand.length === 0) {
    return html`<p>No category’s change stands after Holm’s correction over ${tests}.</p>`
  }
  return html`<p>
      ${stand.length} of ${tests} (each category, benchmark, arm and seed) stand after Holm’s
      correction:
    </p>
    ${groupedTable<CategoryChange>(
      [
        { head: 'Category', cell: ({ category }) => category },
        { head: 'Model state', cell: (row) => stateName(row) },
        {
          head: 'Change (points)',
          cell: ({ difference }) => (difference === null ? '–' : signedPoints(-difference)),
          kind: 'number',
        },
        { head: 'Lost', cell: ({ b }) => b, kind: 'number' },
        { head: 'Gained', cell: ({ c }) => c, kind: 'number' },
        { head: 'Pairs', cell: ({ n }) => n, kind: 'number' },
        { head: 'Exact p', cell: ({ pValue }) => pValueText(pValue), kind: 'number' },
        { head: 'Holm', cell: ({ holmP }) => pValueText(holmP), kind: 'number' },
      ],
      stand,
      ({ benchmark }) => titles.get(benchmark) ?? benchmark,
    )}`
}

function rangeText(rates: readonly CategoryRate[]): string {
  const values = rates.flatMap(({ rate }) => rate.estimate ?? [])
  if (values.length === 0) return '–'
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return low === high ? percent(mean) : `${percent(mean)} (${percent(low)} – ${percent(high)})`
}
