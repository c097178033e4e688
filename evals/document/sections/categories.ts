/** @file Rates by category of prompt: the base with its interval, each arm as mean and range over its seeds. */
import type { Block, Section } from '../../contract/document.ts'
import { namesClasses } from '../../contract/rows.ts'
import type { CategoryRate, Results } from '../../contract/results.ts'
import { counted, percent, pValueText, stateName } from '../../contract/words.ts'
import { isBase } from '../../contract/keys.ts'
import { groupedTable, label, number, paragraph, section } from '../blocks.ts'
import {
  atLastStep,
  byFirstJudge,
  changeText,
  intervalText,
  rateText,
  titlesOf,
  trainedArms,
} from '../view.ts'

interface Row {
  readonly benchmark: string
  readonly category: string
  readonly rates: readonly CategoryRate[]
}

export function categoriesSection(results: Results): Section[] {
  const last = atLastStep(results.categories).filter(byFirstJudge(results))
  const rows = results.benchmarks.flatMap(({ name, title }) => {
    const mine = last.filter(({ benchmark }) => benchmark === name)
    return [...Map.groupBy(mine, ({ category }) => category)].map(([category, rates]): Row => ({
      benchmark: title,
      category,
      rates,
    }))
  })
  if (rows.length === 0) return []
  const base = ({ rates }: Row) => rates.find(isBase)?.rate
  const columns = [
    label<Row>('Category', ({ category }) => category),
    number<Row>('Prompts', (row) => base(row)?.n ?? row.rates[0]!.rate.n),
    number<Row>('Base', (row) => base(row) && rateText(base(row)!)),
    number<Row>('95 % interval', (row) => base(row) && intervalText(base(row)!)),
    ...trainedArms(results).map((arm) =>
      number<Row>(arm, ({ rates }) => rangeText(rates.filter((row) => row.arm === arm))),
    ),
  ]
  return section(
    namesClasses(results) ? 'Recall by class' : 'By category',
    paragraph(
      'The base with its Wilson interval; each variant at its last step as the mean over its seeds, with the lowest and highest seed.',
    ),
    groupedTable(rows, ({ benchmark }) => benchmark, columns),
    changeBlocks(results),
  )
}

/** Significance level after Holm over every category of every benchmark, arm and seed. */
const LEVEL = 0.05

function changeBlocks(results: Results): Block[] {
  const { categoryChanges } = results
  if (categoryChanges.length === 0) return []
  const titleOf = titlesOf(results)
  const stand = categoryChanges.filter(({ holmP }) => holmP <= LEVEL)
  const tests = counted(categoryChanges.length, 'test')
  if (stand.length === 0) {
    return [paragraph(`No category’s change stands after Holm’s correction over ${tests}.`)]
  }
  return [
    paragraph(
      `${stand.length} of ${tests} (each category, benchmark, variant and seed) stand after Holm’s correction:`,
    ),
    groupedTable(stand, ({ benchmark }) => titleOf(benchmark), [
      label('Category', ({ category }) => category),
      label('Checkpoint', stateName),
      number('Change (points)', changeText),
      number('Lost', ({ b }) => b),
      number('Gained', ({ c }) => c),
      number('Pairs', ({ n }) => n),
      number('Exact p', ({ pValue }) => pValueText(pValue)),
      number('Holm', ({ holmP }) => pValueText(holmP)),
    ]),
  ]
}

function rangeText(rates: readonly CategoryRate[]): string {
  const values = rates.flatMap(({ rate }) => rate.estimate ?? [])
  if (values.length === 0) return '–'
  const mean = values.reduce((sum, x) => sum + x, 0) / values.length
  const [low, high] = [Math.min(...values), Math.max(...values)]
  return low === high ? percent(mean) : `${percent(mean)} (${percent(low)} – ${percent(high)})`
}
