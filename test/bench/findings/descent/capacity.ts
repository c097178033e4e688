/** @file One network over its capacity, for the page of findings: errors, losses, where every row is fitted, and the tests. */
import type { DescentRow, Sweep } from '../../../../evals/contract/sweeps.ts'
import { median } from '../../../../evals/statistics/median.ts'
import { percent, tableOf, TEST_ERROR, valuesOf } from './tables.ts'

const HELD_OUT = 'held-out-loss'

const nats = (value: number) => value.toFixed(2)
/** Measures of the table; those that a sweep has not are left out. */
const COLUMNS = [
  { metric: 'train-error', title: 'training error, %', text: percent },
  { metric: TEST_ERROR, title: 'test error, %', text: percent },
  { metric: `best-${TEST_ERROR}`, title: 'at its best step, %', text: percent },
  { metric: HELD_OUT, title: 'loss on held-out rows, nats', text: nats },
  { metric: `best-${HELD_OUT}`, title: 'at its best step, nats', text: nats },
] as const

/** Medians over the seeds (lowest–highest) at each place of an axis. */
export function capacityTable(sweep: Sweep, axis: string): string {
  const places = valuesOf(sweep, axis)
  const at = (metric: string, place: number) =>
    sweep.cells
      .filter(({ spec }) => spec.axes[axis] === place)
      .flatMap(({ metrics }) => metrics.filter(({ name }) => name === metric))
      .map(({ value }) => value)
  const columns = COLUMNS.filter(({ metric }) => at(metric, places[0]!).length > 0)
  const rows = places.map((place) => [
    String(place),
    ...columns.map(({ metric, text }) => {
      const values = at(metric, place)
      if (values.length === 0) return '–'
      const [low, high] = [Math.min(...values), Math.max(...values)].map(text)
      return `${text(median(values))} (${low}–${high})`
    }),
    String(at(TEST_ERROR, place).length),
  ])
  return tableOf([axis, ...columns.map(({ title }) => title), 'seeds'], rows)
}

/** What the tests of the errors and losses along the axis say. */
export function capacityTests({ descents, thresholds, sight }: Sweep, axis: string): string {
  const isTold = (row: DescentRow) =>
    row.axis === axis && (row.metric === TEST_ERROR || row.metric === HELD_OUT)
  const tests = descents.filter(isTold).map(({ sentence }) => `- ${sentence}`)
  const fitted = thresholds?.find((row) => row.axis === axis)?.at ?? null
  const smallest = sight?.find((row) => row.axis === axis)?.smallest ?? null
  const seen =
    smallest === null
      ? 'the smallest peak that is seen in 80 % of such sweeps is above two standard deviations between seeds'
      : `the smallest peak that is seen in 80 % of such sweeps is one of ${smallest} standard deviations between seeds`
  return `Every row is fitted in half of the seeds ${fitted === null ? 'nowhere' : `from ${axis} ${fitted} on`}; ${seen}.

${tests.join('\n')}`
}
