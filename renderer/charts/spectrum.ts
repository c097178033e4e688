/** @file Spectra for charts: intruders counted for any k and ε, the layer × module grid, the directions of one matrix. */
import type { LineChart } from '../../evals/contract/document/charts.ts'
import type { SpectrumRow } from '../../evals/contract/rows.ts'
import { counted, percent } from '../../evals/contract/words.ts'

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
  readonly label: string
  /** Of the deepest tint, from 0 to 1. */
  readonly share: number
  readonly says: string
}

export interface HeatGrid {
  readonly modules: readonly string[]
  readonly layers: readonly number[]
  readonly cells: ReadonlyMap<string, HeatCell>
  /** What all of them say together. */
  readonly sum: string
}

export const heatKey = (layer: number, module: string) => `${layer}/${module}`

interface Counted {
  readonly k: number
  readonly epsilon: number
}

/** What a map of layers and modules shows: a number of each matrix, its text, and all of them in a sentence. */
interface Measure {
  readonly title: string
  /** Null where the matrix has none. */
  readonly of: (row: SpectrumRow, by: Counted) => number | null
  readonly text: (value: number) => string
  readonly says: (row: SpectrumRow, by: Counted) => string
  readonly sum: (rows: readonly SpectrumRow[], by: Counted) => string
  /** Whether a small value has the deep tint, as a small alignment has. */
  readonly isInverse?: boolean
}

const directionsOf = (row: SpectrumRow, { k }: Counted) => Math.min(k, alignmentsOf(row).length)
const lowestOf = (row: SpectrumRow, { k }: Counted): number | null => {
  const seen = alignmentsOf(row).slice(0, k)
  return seen.length === 0 ? null : Math.min(...seen)
}
const meanOf = (values: readonly number[]) =>
  values.reduce((sum, value) => sum + value, 0) / values.length
const nameOf = ({ layer, module }: SpectrumRow) => `layer ${layer}, ${module}`
const bandOf = ({ nullBand: [low, high] }: SpectrumRow) => `${low.toFixed(2)} to ${high.toFixed(2)}`

export const MEASURES = {
  intruders: {
    title: 'Intruders',
    of: (row, { k, epsilon }) => (row.unchanged ? null : intrudersOf(row, k, epsilon)),
    text: String,
    says: (row, by) => `intruders of ${directionsOf(row, by)}`,
    sum: (rows, by) => {
      const all = rows.reduce((sum, row) => sum + intrudersOf(row, by.k, by.epsilon), 0)
      const slots = rows.reduce((sum, row) => sum + directionsOf(row, by), 0)
      return `${all} intruders of ${slots} directions in ${counted(rows.length, 'matrix', 'matrices')}.`
    },
  },
  change: {
    title: 'Change, ‖ΔW‖ / ‖W0‖',
    of: ({ relativeChange }) => relativeChange,
    text: percent,
    says: () => 'is the norm of the change of the norm of the base’s matrix',
    sum: (rows) => {
      const most = rows.reduce((a, b) => (b.relativeChange > a.relativeChange ? b : a))
      const mean = meanOf(rows.map(({ relativeChange }) => relativeChange))
      return `Mean change ${percent(mean)} of ‖W0‖ in ${counted(rows.length, 'matrix', 'matrices')}; most in ${nameOf(most)}: ${percent(most.relativeChange)}.`
    },
  },
  rank: {
    title: 'Effective rank of ΔW',
    of: ({ effectiveRankOfChange }) => effectiveRankOfChange,
    text: (value) => value.toPrecision(3),
    says: ({ shape }) => `directions that the change spreads over, of ${Math.min(...shape)}`,
    sum: (rows) => {
      const ranks = rows.flatMap(({ effectiveRankOfChange }) => effectiveRankOfChange ?? [])
      return ranks.length === 0
        ? 'No matrix has an effective rank of its change: it did not change, or has no low rank.'
        : `Mean effective rank of the change ${meanOf(ranks).toPrecision(3)}, from ${Math.min(...ranks).toPrecision(3)} to ${Math.max(...ranks).toPrecision(3)}.`
    },
  },
  alignment: {
    title: 'Lowest alignment beside chance',
    of: lowestOf,
    text: (value) => value.toFixed(2),
    says: (row) => `is its lowest c; one random direction has ${bandOf(row)}`,
    sum: (rows, by) => {
      const far = rows.filter((row) => (lowestOf(row, by) ?? 1) <= row.nullBand[1]).length
      return `In ${far} of ${counted(rows.length, 'matrix', 'matrices')} a leading direction lies as far from every direction of the base as one random direction does (99 % band).`
    },
    isInverse: true,
  },
} as const satisfies Readonly<Record<string, Measure>>
export type MeasureName = keyof typeof MEASURES

export function heatGrid(rows: readonly SpectrumRow[], name: MeasureName, by: Counted): HeatGrid {
  const measure: Measure = MEASURES[name]
  const values = rows.map((row) => measure.of(row, by))
  const most = Math.max(0, ...values.map((value) => value ?? 0)) || 1
  const cells = rows.map((row, i): HeatCell => {
    const value = values[i] ?? null
    const share = value === null ? 0 : measure.isInverse ? 1 - value : value / most
    const says = `${nameOf(row)}: ${value === null ? 'none' : measure.text(value)} ${measure.says(row, by)}`
    return {
      ...{ layer: row.layer, module: row.module, row, share },
      label: value === null ? '–' : measure.text(value),
      says: says.charAt(0).toUpperCase() + says.slice(1),
    }
  })
  return {
    modules: [...new Set(rows.map(({ module }) => module))],
    layers: [...new Set(rows.map(({ layer }) => layer))].sort((a, b) => a - b),
    cells: new Map(cells.map((cell) => [heatKey(cell.layer, cell.module), cell])),
    sum: rows.length === 0 ? '' : measure.sum(rows, by),
  }
}

/** c_j over j with the band in which a random direction lies, and ε. */
export function alignmentChart(row: SpectrumRow, k: number, epsilon: number): LineChart {
  const values = alignmentsOf(row).slice(0, k)
  const [lower, upper] = row.nullBand
  return {
    type: 'line-chart',
    title: 'Directions beside a random one',
    xLabel: 'Direction j, largest singular value first',
    series: [
      {
        ...{ label: 'one random direction, 1 % to 99 %', colour: 0, dash: 1 },
        ...{ isPlain: true, isNull: true },
        points: [1, Math.max(2, values.length)].map((x) => ({
          ...{ x, y: (lower + upper) / 2, lower, upper },
        })),
      },
      {
        ...{ label: 'best match with a direction of the base, c_j', colour: 0, dash: 0 },
        isPlain: values.length > 60,
        points: values.map((y, index) => ({ x: index + 1, y })),
      },
    ],
    reference: { y: epsilon, label: `ε = ${epsilon}: below it a direction is an intruder` },
    range: [0, 1],
    format: 'hundredths',
  }
}
