/** @file The same prompts before and after: rates, change with interval, exact test. */
import { sidesOf, type Comparison, type Results } from '../../contract/results.ts'
import type { BenchmarkRow } from '../../contract/rows.ts'
import { percent, pValueText, signedPoints } from '../../contract/words.ts'
import { forestRow } from '../charts/forest.ts'
import { html, type Content, type Markup } from '../markup.ts'
import { folded, groupedTable, type Column } from '../table.ts'
import { atLastStep, firstJudge, stateName } from '../view.ts'

interface Row extends Comparison {
  readonly of: BenchmarkRow
}

export function pairsSection({ benchmarks, comparisons, verdict }: Results): Markup {
  if (comparisons.length === 0) return html``
  const rows = benchmarks.flatMap((of) =>
    comparisons.flatMap((row) => (row.benchmark === of.name ? [{ ...row, of }] : [])),
  )
  const main = atLastStep(rows).filter((row) => row.judge === firstJudge(row.of))
  return html`<h2>Before and after, on the same prompts</h2>
    <p>
      Each prompt was put to the base and to the fine-tuned model. Shown is each arm’s last step by
      the first judge. The bars are 95&nbsp;% intervals of the change (Newcombe, paired), each
      benchmark on its own scale with no change in the middle; the dashed line is the margin. Exact
      p is McNemar’s, Holm’s the same corrected for all ${main.length} tests of this table.
      ${
        rows.some(({ repeated }) => repeated) &&
        'Where prompts were answered several times, rates are means over prompts, pairs are pairs of replies, and interval and exact test take the prompt as the unit.'
      }
    </p>
    ${groupedTable(columns(main, verdict.margin), main, ({ of }) => of.title)}
    ${folded(
      `All ${rows.length} comparisons: every step, every judge`,
      groupedTable(
        [
          { head: 'Step', cell: ({ step }: Row) => step, kind: 'number' },
          { head: 'Judge', cell: ({ judge }: Row) => judge },
          ...columns(rows, verdict.margin),
          { head: 'Score interval (Tango)', cell: scoreText, kind: 'number' },
          { head: 'Dropped', cell: ({ droppedUndecided }) => droppedUndecided, kind: 'number' },
        ],
        rows,
        ({ of }) => of.title,
      ),
    )}`
}

function columns(rows: readonly Row[], margin: number): Column<Row>[] {
  const reaches = new Map(
    [...Map.groupBy(rows, ({ benchmark }) => benchmark)].map(([benchmark, mine]) => [
      benchmark,
      Math.max(2 * margin, ...mine.map(widest)),
    ]),
  )
  const share = (row: Row, side: 'before' | 'after') =>
    row.n === 0 ? '–' : percent(sidesOf(row)[side])
  return [
    { head: 'Model state', cell: (row) => stateName(row) },
    { head: 'Before', cell: (row) => share(row, 'before'), kind: 'number' },
    { head: 'After', cell: (row) => share(row, 'after'), kind: 'number' },
    { head: 'Change (points)', cell: changeText, kind: 'number' },
    { head: '95 % interval', cell: intervalText, kind: 'number' },
    { head: '', cell: (row) => forest(row, margin, reaches.get(row.benchmark)!) },
    { head: 'Exact p', cell: ({ pValue }) => pValueText(pValue), kind: 'number' },
    {
      head: 'Holm',
      cell: ({ holmP }) => (holmP === null ? '–' : pValueText(holmP)),
      kind: 'number',
    },
    { head: 'Lost', cell: ({ b }) => b, kind: 'number' },
    { head: 'Gained', cell: ({ c }) => c, kind: 'number' },
    { head: 'Pairs', cell: ({ n }) => n, kind: 'number' },
  ]
}

const widest = ({ lower, upper }: Row) => Math.max(Math.abs(lower ?? 0), Math.abs(upper ?? 0))

/** The contract's difference is before − after; a reader expects after − before. */
function changeText({ difference }: Row): string {
  return difference === null ? '–' : signedPoints(-difference)
}

function intervalText({ lower, upper }: Pick<Row, 'lower' | 'upper'>): string {
  return lower === null || upper === null
    ? '–'
    : `${signedPoints(-upper)} to ${signedPoints(-lower)}`
}

const scoreText = ({ score }: Row): string => (score ? intervalText(score) : '–')

function forest({ difference, lower, upper, of }: Row, margin: number, reach: number): Content {
  if (difference === null || lower === null || upper === null) return null
  const harm = of.role === 'over-refusal' ? margin : -margin
  return forestRow({ change: -difference, lower: -upper, upper: -lower, margin: harm }, reach)
}
