/** @file Shared by charts: colours, dashes and marks (no line depends on its colour alone), axes. */
import type { ChartOptions, PointStyle } from 'chart.js'

export interface ChartTheme {
  readonly ink: string
  readonly quiet: string
  readonly line: string
  readonly paper: string
  readonly series: readonly string[]
}

const DASHES: readonly (readonly number[])[] = [[], [6, 3], [2, 2], [9, 3, 2, 3], [4, 4], [1, 3]]
const MARKS: readonly PointStyle[] = ['circle', 'rect', 'triangle', 'rectRot', 'crossRot', 'star']

const at = <T>(list: readonly T[], index: number): T => list[index % list.length]!

/** Style of the `index`-th series: its colour; dash and mark are of the `dash`-th line of that colour. */
export function seriesStyle(theme: ChartTheme, index: number, dash = index) {
  const colour = at(theme.series, index)
  return {
    borderColor: colour,
    backgroundColor: colour,
    borderDash: [...at(DASHES, dash)],
    pointStyle: at(MARKS, dash),
    borderWidth: 1.75,
    pointRadius: 2.5,
    tension: 0,
  }
}

interface AxisText {
  readonly title: string
  readonly scale?: 'linear' | 'logarithmic'
  readonly min?: number
  readonly max?: number
  /** For counts: no ticks between whole numbers. */
  readonly isWhole?: boolean
}

/** Options of every chart with two numeric axes. No animation. */
export function axesOptions(theme: ChartTheme, x: AxisText, y: AxisText): ChartOptions<'line'> {
  return {
    animation: false,
    responsive: true,
    maintainAspectRatio: false,
    parsing: false,
    normalized: true,
    interaction: { mode: 'nearest', axis: 'x', intersect: false },
    scales: { x: axis(theme, x), y: axis(theme, y) },
    plugins: {
      legend: {
        align: 'start',
        labels: {
          color: theme.ink,
          usePointStyle: true,
          boxHeight: 7,
          filter: ({ text }) => text !== '',
        },
      },
      tooltip: { filter: ({ dataset }) => dataset.label !== '' },
    },
  }
}

function axis(theme: ChartTheme, text: AxisText) {
  const { title, scale = 'linear', min, max, isWhole = false } = text
  return {
    type: scale,
    min,
    max,
    title: { display: title !== '', text: title, color: theme.quiet },
    grid: { color: theme.line },
    ticks: { color: theme.quiet, maxTicksLimit: 9, ...(isWhole ? { precision: 0 } : {}) },
    border: { color: theme.line },
  } as const
}

/** A colour with an opacity between 0 and 1. */
export function faded(colour: string, opacity: number): string {
  const hex = Math.round(opacity * 255)
    .toString(16)
    .padStart(2, '0')
  return `${colour}${hex}`
}
