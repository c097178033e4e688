/** @file Rates at the evaluated steps of a training with their 95 % intervals; the base stands at step 0 of every line. */
import type { ChartConfiguration, ChartDataset } from 'chart.js'
import type { Evaluation } from '../../evals/contract/results.ts'
import { axesOptions, faded, seriesStyle, type ChartTheme } from './theme.ts'

/** The first judge's evaluations of one benchmark. */
export function trajectory(
  evaluations: readonly Evaluation[],
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const base = evaluations.filter(({ arm }) => arm === 'base')
  const lines = Map.groupBy(
    evaluations.filter(({ arm }) => arm !== 'base'),
    ({ arm, seed }) => `${arm}, seed ${seed}`,
  )
  return {
    type: 'line',
    data: {
      datasets: [...lines].flatMap(([label, rows], index) =>
        banded(label, [...base, ...rows], index, theme),
      ),
    },
    options: axesOptions(
      theme,
      { title: 'Step', min: 0, isWhole: true },
      { title: 'share of prompts', min: 0, max: 1 },
    ),
  }
}

function banded(
  label: string,
  rows: readonly Evaluation[],
  index: number,
  theme: ChartTheme,
): ChartDataset<'line'>[] {
  const style = seriesStyle(theme, index)
  const sorted = rows.toSorted((a, b) => a.step - b.step)
  const points = (pick: (row: Evaluation) => number | null) =>
    sorted.map((row) => ({ x: row.step, y: pick(row) }))
  const edge = {
    label: '',
    borderWidth: 0,
    pointRadius: 0,
    backgroundColor: faded(style.borderColor, 0.14),
  }
  return [
    { label, data: points(({ rate }) => rate.estimate), ...style, pointRadius: 3 },
    { ...edge, data: points(({ rate }) => rate.lower), fill: false },
    { ...edge, data: points(({ rate }) => rate.upper), fill: '-1' },
  ]
}
