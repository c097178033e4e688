/** @file What a chart's file is called. */
import type { LineChart } from '../../evals/contract/document/charts.ts'

export const FORMATS = ['SVG', 'PNG'] as const
export type PictureFormat = (typeof FORMATS)[number]

const LONGEST = 80

/** "test-error-along-width.png" */
export function fileName({ title }: Pick<LineChart, 'title'>, format: PictureFormat): string {
  const stem = title
    .toLowerCase()
    .replaceAll(/[^\p{L}\p{N}]+/gu, '-')
    .slice(0, LONGEST)
  return `${stem.replaceAll(/^-|-$/gu, '') || 'figure'}.${format.toLowerCase()}`
}
