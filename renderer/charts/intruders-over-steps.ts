/** @file Intruders of a run's checkpoints over the steps of training, one line per arm and seed, coloured by arm. */
import type { LineChart } from '../../evals/contract/document/charts.ts'
import type { SubjectKey } from '../../evals/contract/rows.ts'

type IntruderState = SubjectKey & { readonly intruders: number }

export function intrudersOverSteps(
  states: readonly IntruderState[],
  /** In the order in which they were trained, which gives them their colours. */
  arms: readonly string[],
): LineChart {
  const lines = Map.groupBy(states, ({ arm, seed }) => `${arm}, seed ${seed}`)
  const seedsOf = (arm: string) => [
    ...new Set(states.flatMap((row) => (row.arm === arm ? row.seed : []))),
  ]
  return {
    type: 'line-chart',
    title: 'Intruders over the steps of training',
    xLabel: 'Step',
    series: [...lines].map(([label, rows]) => ({
      label,
      colour: Math.max(0, arms.indexOf(rows[0]!.arm)),
      dash: seedsOf(rows[0]!.arm).indexOf(rows[0]!.seed),
      points: rows.map(({ step, intruders }) => ({ x: step, y: intruders })).sort(byX),
    })),
    range: [0, Math.max(5, ...states.map(({ intruders }) => intruders))],
    format: 'significant',
  }
}

const byX = (a: { x: number }, b: { x: number }) => a.x - b.x
