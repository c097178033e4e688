/** @file Categories × variants: how many prompts of each category were lost, so that one that is lost whole is seen at once. */
import type { Section } from '../../../contract/document.ts'
import type { HeatMap } from '../../../contract/document/charts.ts'
import { keyOf } from '../../../contract/keys.ts'
import type { CategoryChange, Results } from '../../../contract/results.ts'
import { stateName } from '../../../contract/words.ts'
import { section } from '../../blocks.ts'
import { titlesOf } from '../../view.ts'

export function categoryMapSection(results: Results): Section[] {
  const { categoryChanges, benchmarks } = results
  if (categoryChanges.length === 0) return []
  const titleOf = titlesOf(results)
  const rising = new Set(
    benchmarks.flatMap(({ role, name }) => (role === 'over-refusal' ? [name] : [])),
  )
  const states = [...new Set(categoryChanges.map(stateName))]
  const rows = [
    ...Map.groupBy(categoryChanges, (row) => keyOf(row.benchmark, row.category)).values(),
  ]
  const cellOf = (row: CategoryChange) => {
    const { benchmark, arm, seed, step, category, n } = row
    const [lost, gained] = rising.has(benchmark) ? [row.c, row.b] : [row.b, row.c]
    return {
      label: `${lost} of ${n}`,
      share: n === 0 ? 0 : Math.max(0, lost - gained) / n,
      detail: `${category}: ${lost} of ${n} prompts lost, ${gained} gained`,
      replies: { run: results.run.id, benchmark, arm, seed, step, category, show: 'pairs' },
    }
  }
  const map: HeatMap = {
    type: 'heat-map',
    title: 'Prompts lost in each category, at the last step: the darker the more',
    rows: rows.map(([row]) => `${titleOf(row!.benchmark)}: ${row!.category}`),
    columns: states,
    cells: rows.map((all) =>
      states.map((state) => {
        const found = all.find((row) => stateName(row) === state)
        return found ? cellOf(found) : null
      }),
    ),
  }
  return section('Lost by category', map)
}
