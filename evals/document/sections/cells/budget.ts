/** @file A budget's own sections: the share of seeds that hold at each budget, what it took, and the worst of the family. */
import type { Block, Section } from '../../../contract/document.ts'
import type { LineChart } from '../../../contract/document/charts.ts'
import type { Budget, BudgetLine } from '../../../contract/budget.ts'
import type { Results } from '../../../contract/results.ts'
import { counted, percent, points } from '../../../contract/words.ts'
import { details, label, listed, number, paragraph, section, table } from '../../blocks.ts'
import { significant } from '../../view.ts'
import { placeText } from '../../charts/places.ts'

const nameOf = ({ line, axes }: BudgetLine, model: string | null = null) =>
  [...(model === null ? [] : [model]), line, placeText(axes)]
    .filter((text) => text !== '')
    .join(', ')

/** The last part of each base's path, where that tells them apart; the run's configuration has the whole. */
function basesOf({ lines }: Pick<Budget, 'lines'>): (model: string) => string {
  const lastPart = (model: string) => model.split(/[\\/]/u).findLast((part) => part !== '') ?? model
  const models = [...new Set(lines.map(({ model }) => model))]
  const isClear = new Set(models.map(lastPart)).size === models.length
  return isClear ? lastPart : (model) => model
}

/** With its base where there are two. */
const namesOf = (budget: Budget) => {
  const baseOf = basesOf(budget)
  return (line: BudgetLine) => nameOf(line, budget.comparison === null ? null : baseOf(line.model))
}

const failedOf = ({ seeds }: BudgetLine) =>
  seeds.filter(({ outcome }) => outcome === 'failed').length

export function budgetSection({ budget }: Results): Section[] {
  if (!budget || budget.lines.length === 0) return []
  const { along, lines, margin, benchmarks, cells } = budget
  const what = along.title.toLowerCase()
  return section(
    'How much it took',
    paragraph(
      `The smallest ${what} at which the gate says FAIL with a margin of ${points(margin)} on ${benchmarks.join(', ')}, found by bisection for each seed: ${counted(cells.done, 'fine-tune')} of ${cells.planned} that the plan holds. A seed that never failed up to ${along.values.at(-1)} is censored there.`,
    ),
    lines.some(({ curve }) => curve.length > 0) && survivalChart(budget),
    budgetTable(budget),
    details('Every seed', seedTable(budget)),
  )
}

/** Steps down where a seed fails; all seeds hold at first. */
function survivalChart(budget: Budget): LineChart {
  const { along, lines } = budget
  const [first, last] = [along.values[0]!, along.values.at(-1)!]
  return {
    type: 'line-chart',
    title: `Share of seeds that hold, along ${along.title.toLowerCase()}`,
    xLabel: along.title.toLowerCase(),
    xScale: along.scale,
    range: [0, 1],
    format: 'percent',
    series: lines.map((line, colour) => ({
      label: namesOf(budget)(line),
      colour,
      dash: Math.floor(colour / 6),
      isPlain: true,
      points: stepsOf(line, first, last),
    })),
  }
}

function stepsOf({ curve }: BudgetLine, first: number, last: number) {
  const whole = { y: 1, lower: 1, upper: 1 }
  const levels = curve.map(({ x, surviving, lower, upper }) => ({ x, y: surviving, lower, upper }))
  const corners = levels.flatMap((level, i) => [{ ...(levels[i - 1] ?? whole), x: level.x }, level])
  const end = levels.at(-1) ?? whole
  const begins = levels[0]?.x === first ? [] : [{ ...whole, x: first }]
  return [
    ...begins,
    ...corners,
    ...(end === whole || levels.at(-1)!.x < last ? [{ ...end, x: last }] : []),
  ]
}

const medianText = ({ median, seeds }: BudgetLine, largest: number) =>
  median ?? (seeds.every(({ outcome }) => outcome === 'error') ? '–' : `over ${largest}`)

function budgetTable(budget: Budget) {
  const { along, lines } = budget
  const largest = along.values.at(-1)!
  return table(lines, [
    label('Line', namesOf(budget)),
    number('Seeds that failed', (line) => `${failedOf(line)} of ${line.seeds.length}`),
    number(`Median ${along.title.toLowerCase()}`, (line) => medianText(line, largest)),
    number('95 % interval', ({ medianLower, medianUpper }) =>
      medianLower === null && medianUpper === null
        ? '–'
        : `${medianLower ?? 'any'} – ${medianUpper ?? `over ${largest}`}`,
    ),
    number('Rows read', ({ rowsRead }) => rowsRead),
    number('Thread hours', ({ threadHours }) => significant(threadHours, 2)),
  ])
}

const OUTCOMES = { failed: 'FAIL', never: 'never', error: 'error' } as const

function seedTable(budget: Budget) {
  const rows = budget.lines.flatMap((line) => line.seeds.map((seed) => ({ line, seed })))
  return table(rows, [
    label('Line', ({ line }) => namesOf(budget)(line)),
    number('Seed', ({ seed }) => seed.seed),
    label('Found', ({ seed }) => OUTCOMES[seed.outcome]),
    number('Held at', ({ seed }) => seed.lower ?? '–'),
    number('Failed at', ({ seed }) => seed.upper ?? '–'),
    number('Tried', ({ seed }) => seed.tried),
    label('Held again above', ({ seed }) => (seed.isMonotone ? 'no' : 'yes')),
  ])
}

export function budgetComparisonSection({ budget }: Results): Section[] {
  if (!budget?.comparison) return []
  const { strata, z, pValue, permutation, draws } = budget.comparison
  const [first, second] = [budget.comparison.first, budget.comparison.second].map(basesOf(budget))
  const apart = permutation <= 0.05
  const earlier = z > 0 ? first : second
  const found = apart ? `${earlier} fails earlier` : 'The two cannot be told apart'
  return section(
    'Two bases',
    paragraph(
      `${found}: ${first} against ${second}, compared within ${counted(strata, 'line')}; p = ${significant(permutation, 2)} by ${draws} permutations of the seeds’ names, log-rank p = ${significant(pValue, 2)}.`,
    ),
  )
}

export function worstSection({ budget }: Results): Section[] {
  if (!budget || budget.worst.length === 0) return []
  return section(
    'The worst of the family',
    paragraph(
      'Over every fine-tune of this search that was measured, on Pebble. The limit holds with 95 % for all fine-tunes, bases and benchmarks of the plan at once (Bonferroni). Which fine-tune it was is left out; a family that was not tried may do worse.',
    ),
    table(budget.worst, [
      label('Model', ({ model }) => basesOf(budget)(model)),
      label('Benchmark', ({ benchmark }) => benchmark),
      number('Worst rate', ({ rate }) => percent(rate)),
      number('Limit', ({ limit, isHighGood }) => `${isHighGood ? '≥' : '≤'} ${percent(limit)}`),
      number('Measured', ({ measured, planned }) => `${measured} of ${planned}`),
    ]),
  )
}

/** Of a model that people use: rates over the steps of one configuration. */
export function followedSection({ budget }: Results): Section[] {
  if (!budget || budget.curves.length === 0) return []
  const rates = budget.curves.filter(({ name }) => budget.benchmarks.includes(name))
  const purpose = budget.purpose === null ? '' : ` Purpose: ${budget.purpose}`
  return section(
    'Over the steps of one configuration',
    paragraph(`The median over seeds; the band spans the lowest and the highest seed.${purpose}`),
    rates.map((curve): Block => ({
      type: 'line-chart',
      title: `${curve.name} over steps`,
      xLabel: 'training step',
      range: [0, 1],
      format: 'percent',
      series: [
        {
          label: `${curve.line}, ${counted(curve.seeds, 'seed')}`,
          colour: 0,
          dash: 0,
          points: curve.points.map(({ x, median, minimum, maximum }) => ({
            x,
            y: median,
            lower: minimum,
            upper: maximum,
          })),
        },
      ],
    })),
  )
}

/** For the terminal: a line for each. */
export function budgetLines({ budget }: Results): Section[] {
  if (!budget) return []
  const { along, lines, worst } = budget
  const largest = along.values.at(-1)!
  return [
    listed(
      `Smallest ${along.title.toLowerCase()} at which the gate says FAIL`,
      lines.map((line) => {
        const { medianLower, medianUpper } = line
        const interval = `95 % interval ${medianLower ?? 'any'} – ${medianUpper ?? `over ${largest}`}`
        return `${namesOf(budget)(line)}: median ${medianText(line, largest)} (${interval}), ${failedOf(line)} of ${counted(line.seeds.length, 'seed')}`
      }),
    ),
    listed(
      'Worst of the family',
      worst.map(
        ({ benchmark, model, rate, limit, isHighGood }) =>
          `${basesOf(budget)(model)}, ${benchmark}: ${percent(rate)}, with 95 % ${isHighGood ? 'at least' : 'at most'} ${percent(limit)}`,
      ),
    ),
  ].flat()
}
