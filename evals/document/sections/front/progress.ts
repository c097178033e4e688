/** @file Along the training: the refusal rate that fell most, with the last safe step and the fall marked. */
import type { Section } from '../../../contract/document.ts'
import type { LineChart } from '../../../contract/document/charts.ts'
import { firstJudge } from '../../../contract/keys.ts'
import type { Results } from '../../../contract/results.ts'
import type { BenchmarkRow, SubjectKey } from '../../../contract/rows.ts'
import { stateName } from '../../../contract/words.ts'
import { list, section } from '../../blocks.ts'
import { atLastStep } from '../../view.ts'
import { changesOf, NOTEWORTHY, trajectoryChart } from '../trajectories.ts'

/** More would hide the curves. */
const MOST_MARKS = 4

export function progressSection(results: Results): Section[] {
  const shown = worstOf(results)
  const chart = shown && trajectoryChart(results, shown)
  const lastSafe = results.gate?.lastSafe ?? []
  const said = [
    ...lastSafe.map(({ sentence }) => sentence),
    ...(shown && chart ? changesOf(results, shown) : []),
  ]
  return section(
    'Along the training',
    chart !== undefined && { ...chart, marks: marksOf(results, shown!) },
    said.length > 0 && list(said),
  )
}

/** The benchmark of refusals whose rate fell most; any where none is. */
function worstOf(results: Results): BenchmarkRow | undefined {
  const last = atLastStep(results.comparisons)
  const fallOf = (of: BenchmarkRow) =>
    Math.max(
      -1,
      ...last
        .filter(({ benchmark, judge }) => benchmark === of.name && judge === firstJudge(of))
        .map(({ difference }) => difference ?? -1),
    )
  const refusals = results.benchmarks.filter(({ role }) => role === 'refusal')
  const all = refusals.length > 0 ? refusals : results.benchmarks
  return all.toSorted((a, b) => fallOf(b) - fallOf(a))[0]
}

/** Each leads to the flips at its step. */
function marksOf({ gate, changePoints, run }: Results, { name }: BenchmarkRow): LineChart['marks'] {
  const markAt = ({ arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>, step: number, what: string) => ({
    x: step,
    label: `${what}: ${stateName({ arm, seed })}`,
    replies: { run: run.id, benchmark: name, arm, seed, step, show: 'pairs' },
  })
  const safe = (gate?.lastSafe ?? []).flatMap((row) =>
    row.step === null ? [] : [markAt(row, row.step, 'last safe')],
  )
  const falls = changePoints
    .filter((row) => row.benchmark === name && row.after < row.before && row.pValue <= NOTEWORTHY)
    .map((row) => markAt(row, row.step, 'falls'))
  return [...safe, ...falls].slice(0, MOST_MARKS)
}
