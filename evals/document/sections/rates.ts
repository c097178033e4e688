/** @file Rates at last steps with their change from the base: the table of the Markdown card and of runs without a verdict. */
import type { Section } from '../../contract/document.ts'
import type { Evaluation, Results } from '../../contract/results.ts'
import { pValueText, stateName } from '../../contract/words.ts'
import { isSameState } from '../../contract/keys.ts'
import { label, number, section, table } from '../blocks.ts'
import {
  atLastStep,
  byFirstJudge,
  changeInterval,
  changeText,
  intervalText,
  RATE_TEXT,
  rateText,
} from '../view.ts'

export function ratesSection(results: Results): Section[] {
  const { benchmarks, comparisons, evaluations } = results
  const last = atLastStep(evaluations).filter(byFirstJudge(results))
  const rows = benchmarks.flatMap(({ name, title, role }) =>
    last.flatMap((row) => {
      if (row.benchmark !== name) return []
      const change = comparisons.filter(isSameState(row)).find(isSameMeasure(row))
      return [{ row, change, what: `${title} (${RATE_TEXT[role]})` }]
    }),
  )
  if (rows.length === 0) return []
  const shown = table(rows, [
    label('Benchmark', ({ what }) => what),
    label('Checkpoint', ({ row }) => stateName(row)),
    number('Rate', ({ row }) => rateText(row.rate)),
    number('95 %', ({ row }) => intervalText(row.rate)),
    number('Change (points)', ({ change }) => (change ? changeText(change) : '–')),
    number('95 % interval', ({ change }) => (change ? changeInterval(change) : '–')),
    number('Holm', ({ change }) => (change?.holmP == null ? '–' : pValueText(change.holmP))),
    number('Prompts', ({ row }) => row.rate.prompts ?? row.rate.n),
  ])
  return section('Rates', shown)
}

const isSameMeasure =
  ({ benchmark, judge }: Evaluation) =>
  (row: { readonly benchmark: string; readonly judge: string }) =>
    row.benchmark === benchmark && row.judge === judge
