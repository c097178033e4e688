/** @file Intruders of a run's checkpoints over the steps of training, one line per arm and seed. */
import type { ChartConfiguration } from 'chart.js'
import type { SubjectKey } from '../../evals/contract/rows.ts'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

type IntruderState = SubjectKey & { readonly intruders: number }

export function intrudersOverSteps(
  states: readonly IntruderState[],
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const lines = Map.groupBy(states, ({ arm, seed }) => `${arm}, seed ${seed}`)
  return {
    type: 'line',
    data: {
      datasets: [...lines].map(([label, rows], index) => ({
        label,
        data: rows
          .map(({ step, intruders }) => ({ x: step, y: intruders }))
          .sort((a, b) => a.x - b.x),
        ...seriesStyle(theme, index),
        pointRadius: 3,
      })),
    },
    options: axesOptions(
      theme,
      { title: 'Step', min: 0, isWhole: true },
      { title: 'intruders', min: 0, isWhole: true },
    ),
  }
}
