/** @file Intruders of a run's checkpoints over the steps of training, one line per arm and seed, coloured by arm. */
import type { ChartConfiguration } from 'chart.js'
import type { SubjectKey } from '../../evals/contract/rows.ts'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

type IntruderState = SubjectKey & { readonly intruders: number }

export function intrudersOverSteps(
  states: readonly IntruderState[],
  /** In the order in which they were trained, which gives them their colours. */
  arms: readonly string[],
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const lines = Map.groupBy(states, ({ arm, seed }) => `${arm}, seed ${seed}`)
  const styleOf = ({ arm, seed }: SubjectKey) => {
    const seeds = [...new Set(states.flatMap((row) => (row.arm === arm ? row.seed : [])))]
    return seriesStyle(theme, Math.max(0, arms.indexOf(arm)), seeds.indexOf(seed))
  }
  return {
    type: 'line',
    data: {
      datasets: [...lines].map(([label, rows]) => ({
        label,
        data: rows
          .map(({ step, intruders }) => ({ x: step, y: intruders }))
          .sort((a, b) => a.x - b.x),
        ...styleOf(rows[0]!),
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
