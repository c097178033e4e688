/** @file Rates by category of prompt: the base with its interval, each arm as mean and range over its seeds. */
import type { CategoryRate, Results } from '../../contract/results.ts'
import { percent } from '../../contract/words.ts'
import { html, type Markup } from '../markup.ts'
import { groupedTable, type Column } from '../table.ts'
import { armsOf, atLastStep, firstJudge, intervalText, isBase, rateText } from '../view.ts'

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
  return html`<h2>By category</h2>
    <p>
      The base with its Wilson interval; each arm at its last step as the mean over its seeds, with
      the lowest and highest seed.
    </p>
    ${groupedTable(columns, rows, ({ benchmark }) => benchmark)}`
}

function rangeText(rates: readonly CategoryRate[]): string {
  const values = rates.flatMap(({ rate }) => rate.estimate ?? [])
  if (values.length === 0) return '–'
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return low === high ? percent(mean) : `${percent(mean)} (${percent(low)} – ${percent(high)})`
}
