/** @file Numbers in the settings of a remedy, as a flag gives them: `values=0.25/0.5`. */
import { z } from 'zod'

/** Ascending or descending, as `order` says, each once. */
export const numberList = (
  { least, most, order }: { least: number; most: number; order: 'rising' | 'falling' },
  standard: readonly number[],
) =>
  z
    .string()
    .default(standard.join('/'))
    .transform((text) => [...new Set(text.split('/').map(Number))])
    .refine((all) => all.every((value) => value >= least && value <= most), {
      message: `numbers from ${least} to ${most} with / between them`,
    })
    .transform((all) => all.sort((a, b) => (order === 'rising' ? a - b : b - a)))
