/** @file Parallel coordinates: one line per model state, never a mean over seeds. Every axis is a share from 0 to 1. */
import type { ChartConfiguration } from 'chart.js'
import { axesOptions, seriesStyle, type ChartTheme } from './theme.ts'

interface ParallelLine {
  readonly name: string
  /** Lines of one group share a colour. */
  readonly group: string
  /** Values by axis; null if not measured. */
  readonly values: readonly (number | null)[]
}

export function parallelChart(
  axes: readonly string[],
  lines: readonly ParallelLine[],
  theme: ChartTheme,
): ChartConfiguration<'line'> {
  const groups = [...new Set(lines.map(({ group }) => group))]
  const { scales, ...options } = axesOptions(
    theme,
    { title: '' },
    { title: 'Share of prompts', min: 0, max: 1 },
  )
  return {
    type: 'line',
    data: {
      datasets: lines.map(({ name, group, values }) => ({
        label: name,
        data: values.map((y, x) => ({ x, y })) as never,
        ...seriesStyle(theme, groups.indexOf(group)),
        spanGaps: true,
      })),
    },
    options: {
      ...options,
      scales: {
        ...scales,
        x: {
          type: 'linear',
          min: 0,
          max: Math.max(1, axes.length - 1),
          grid: { color: theme.quiet },
          ticks: {
            stepSize: 1,
            color: theme.ink,
            callback: (value) => axes[Number(value)] ?? '',
          },
        },
      },
    },
  }
}
