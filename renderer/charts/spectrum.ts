/** @file Spectra for charts: intruders counted for any k and ε, the layer × module grid, the directions of one matrix. */
import type { ChartConfiguration } from 'chart.js'
import type { SpectrumRow } from '../../evals/contract/rows.ts'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

/** Number of directions with alignments: all after a full scan, else the leading ones. */
function alignmentsOf(row: SpectrumRow): readonly number[] {
  return row.details?.profile ?? row.alignment
}

/** The number of j < k with c_j < ε. */
function intrudersOf(row: SpectrumRow, k: number, epsilon: number): number {
  return alignmentsOf(row)
    .slice(0, k)
    .filter((c) => c < epsilon).length
}

export interface HeatCell {
  readonly layer: number
  readonly module: string
  readonly row: SpectrumRow
  readonly intruders: number
  /** Number of directions. */
  readonly of: number
}

export interface HeatGrid {
  readonly modules: readonly string[]
  readonly layers: readonly number[]
  readonly cells: ReadonlyMap<string, HeatCell>
  readonly total: number
  readonly slots: number
}

export const heatKey = (layer: number, module: string) => `${layer}/${module}`

export function heatGrid(rows: readonly SpectrumRow[], k: number, epsilon: number): HeatGrid {
  const cells = rows.map((row) => ({
    layer: row.layer,
    module: row.module,
    row,
    intruders: intrudersOf(row, k, epsilon),
    of: Math.min(k, alignmentsOf(row).length),
  }))
  return {
    modules: [...new Set(rows.map(({ module }) => module))],
    layers: [...new Set(rows.map(({ layer }) => layer))].sort((a, b) => a - b),
    cells: new Map(cells.map((cell) => [heatKey(cell.layer, cell.module), cell])),
    total: cells.reduce((sum, { intruders }) => sum + intruders, 0),
    slots: cells.reduce((sum, { of }) => sum + of, 0),
  }
}

/** c_j over j with the band in which a random direction lies, and ε. */
export function alignmentChart(
  row: SpectrumRow,
  k: number,
  epsilon: number,
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const values = alignmentsOf(row).slice(0, k)
  const level = (label: string, y: number, series: number, borderWidth = 1) => ({
    label,
    data: [
      { x: 1, y },
      { x: Math.max(2, values.length), y },
    ],
    ...seriesStyle(theme, series),
    pointRadius: 0,
    borderWidth,
  })
  const [low, high] = row.nullBand
  return {
    type: 'line',
    data: {
      datasets: [
        {
          label: 'Best match with a direction of the base, c_j',
          data: values.map((y, index) => ({ x: index + 1, y })),
          ...seriesStyle(theme, 0),
          pointRadius: values.length > 60 ? 1 : 3,
        },
        level(`ε = ${epsilon}: below it a direction is an intruder`, epsilon, 1, 1.5),
        level('One random direction, 1 %', low, 2),
        level('One random direction, 99 %', high, 2),
      ],
    },
    options: axesOptions(
      theme,
      { title: 'Direction j, largest singular value first' },
      { title: 'c_j', min: 0, max: 1 },
    ),
  }
}
