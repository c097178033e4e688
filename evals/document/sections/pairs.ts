/** @file The same prompts before and after: rates, change with interval, exact test. */
import type { Cell, Section } from '../../contract/document.ts'
import { sidesOf, type Comparison, type Results } from '../../contract/results.ts'
import { percent, pValueText, stateName } from '../../contract/words.ts'
import { details, groupedTable, label, number, paragraph, section, type Column } from '../blocks.ts'
import { atLastStep, byFirstJudge, changeInterval, changeText, titlesOf } from '../view.ts'

export function pairsSection(results: Results): Section[] {
  const { benchmarks, comparisons, verdict, run } = results
  if (comparisons.length === 0) return []
  const rows = benchmarks.flatMap(({ name }) =>
    comparisons.filter(({ benchmark }) => benchmark === name),
  )
  const named = titlesOf(results)
  const titleOf = ({ benchmark }: Comparison) => named(benchmark)
  const main = atLastStep(rows).filter(byFirstJudge(results))
  const rising = new Set(
    benchmarks.flatMap(({ name, role }) => (role === 'over-refusal' ? [name] : [])),
  )
  const view = { margin: verdict.margin, run: run.id, rising }
  const columnsOf = (shown: readonly Comparison[]) => columns(shown, view)
  const repeated = rows.some((row) => row.repeated)
    ? ' Where prompts were answered several times, rates are means over prompts, pairs are pairs of replies, and interval and exact test take the prompt as the unit.'
    : ''
  return section(
    'Before and after, on the same prompts',
    paragraph(
      `Each prompt was put to the base and to the fine-tuned model. Shown is each variant’s last step by the first judge. The bars are 95 % intervals of the change (Newcombe, paired), drawn as harm, which grows to the right, each benchmark on its own scale with no change in the middle; the dashed line is the margin. Exact p is McNemar’s, Holm’s the same corrected for all ${main.length} tests of this table.${repeated}`,
    ),
    groupedTable(main, titleOf, columnsOf(main)),
    details(
      `All ${rows.length} comparisons: every step, every judge`,
      groupedTable(rows, titleOf, [
        number('Step', ({ step }) => step),
        label('Judge', ({ judge }) => judge),
        ...columnsOf(rows),
        number('Score interval (Tango)', ({ score }) => (score ? changeInterval(score) : '–')),
        number('Dropped', ({ droppedUndecided }) => droppedUndecided),
      ]),
    ),
  )
}

interface View {
  readonly margin: number
  readonly run: string
  /** Benchmarks whose rate is the worse the higher. */
  readonly rising: ReadonlySet<string>
}

function columns(rows: readonly Comparison[], view: View): Column<Comparison>[] {
  const reaches = new Map(
    [...Map.groupBy(rows, ({ benchmark }) => benchmark)].map(([benchmark, mine]) => [
      benchmark,
      Math.max(2 * view.margin, ...mine.map(widest)),
    ]),
  )
  const share = (row: Comparison, side: 'before' | 'after') =>
    row.n === 0 ? '–' : percent(sidesOf(row)[side])
  return [
    label('Checkpoint', stateName),
    number('Before', (row) => share(row, 'before')),
    number('After', (row) => share(row, 'after')),
    number('Change (points)', changeText),
    number('95 % interval', changeInterval),
    label('', (row) => forest(row, view, reaches.get(row.benchmark)!)),
    number('Exact p', ({ pValue }) => pValueText(pValue)),
    number('Holm', ({ holmP }) => (holmP === null ? '–' : pValueText(holmP))),
    number('Lost', ({ b }) => b),
    number('Gained', ({ c }) => c),
    number('Pairs', (row) => ({ text: String(row.n), replies: pairsOf(row, view.run) })),
  ]
}

const widest = ({ lower, upper }: Comparison) =>
  Math.max(Math.abs(lower ?? 0), Math.abs(upper ?? 0))

function forest(row: Comparison, { margin, rising }: View, reach: number): Cell {
  const { difference, lower, upper } = row
  if (difference === null || lower === null || upper === null) return ''
  const isRising = rising.has(row.benchmark)
  const harm = isRising
    ? { change: -difference, lower: -upper, upper: -lower }
    : { change: difference, lower, upper }
  return { forest: { ...harm, margin, reach } }
}

/** The query of the window's pair browser. */
const pairsOf = ({ benchmark, arm, seed, step }: Comparison, run: string) => {
  return { run, benchmark, arm, seed, step, show: 'pairs' }
}
