/** @file Cells of one place together: their seeds, and each measure over steps. */
import type { CellRow, CurveSummary } from '../contract/sweeps.ts'
import { canonicalJson } from '../files/canonical-json.ts'
import { median } from '../statistics/median.ts'

/** Cells of one curve at one place, by seed. */
export function byPlace(cells: readonly CellRow[]): CellRow[][] {
  const groups = Map.groupBy(cells, ({ spec }) => canonicalJson([spec.line, spec.axes]))
  return [...groups.values()].map((group) => group.toSorted((a, b) => a.spec.seed - b.spec.seed))
}

export const spread = (values: readonly number[]) => ({
  median: median(values),
  minimum: Math.min(...values),
  maximum: Math.max(...values),
})

/** Only steps that every seed has, so that a missing seed does not move the median. */
export function curveSummaries(cells: readonly CellRow[]): CurveSummary[] {
  return byPlace(cells).flatMap((group) => {
    const names = [...new Set(group.flatMap(({ curves }) => curves.map(({ name }) => name)))]
    const { line, axes } = group[0]!.spec
    return names.map((name) => {
      const curves = group.flatMap((cell) => cell.curves.filter((curve) => curve.name === name))
      const byX = Map.groupBy(
        curves.flatMap(({ x, y }) => x.map((at, i) => ({ at, value: y[i]! }))),
        ({ at }) => at,
      )
      const points = [...byX]
        .filter(([, found]) => found.length === curves.length)
        .sort(([a], [b]) => a - b)
        .map(([x, found]) => ({ x, ...spread(found.map(({ value }) => value)) }))
      return { line, axes, name, seeds: curves.length, points }
    })
  })
}
