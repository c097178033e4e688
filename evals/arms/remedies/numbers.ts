/** @file Numbers in the settings of a remedy, as a flag gives them: `values=0.25/0.5`. */
import { z } from 'zod'

interface Bounds {
  readonly least: number
  readonly most: number
  readonly order: 'rising' | 'falling'
  /** Of things that are counted. */
  readonly areWhole?: boolean
}

/** Ascending or descending, as `order` says, each once. */
export const numberList = (
  { least, most, order, areWhole = false }: Bounds,
  standard: readonly number[],
) =>
  z
    .string()
    .default(standard.join('/'))
    // Nothing between two strokes is no number, though JavaScript takes it for 0.
    .transform((text) => [
      ...new Set(text.split('/').map((part) => (part.trim() === '' ? NaN : Number(part)))),
    ])
    .refine(
      (all) =>
        all.every(
          (value) => value >= least && value <= most && (!areWhole || Number.isInteger(value)),
        ),
      {
        message: `${areWhole ? 'whole ' : ''}numbers from ${least} to ${most} with / between them`,
      },
    )
    .transform((all) => all.sort((a, b) => (order === 'rising' ? a - b : b - a)))
