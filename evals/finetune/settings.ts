/** @file Schemas of numeric settings: bounds, default, and the label and help text that flags and forms show. */
import { z } from 'zod'

interface Bounds {
  /** Smallest value. */
  readonly min?: number
  /** Largest value. */
  readonly max?: number
  /** Exclusive lower bound. */
  readonly above?: number
}

interface About {
  readonly label: string
  readonly help: string
  readonly unit?: string
}

const checksOf = ({ min, max, above }: Bounds) => [
  ...(above === undefined ? [] : [z.gt(above)]),
  ...(min === undefined ? [] : [z.gte(min)]),
  ...(max === undefined ? [] : [z.lte(max)]),
]

export const realNumber = (bounds: Bounds, standard: number, about: About) =>
  z
    .number()
    .check(...checksOf(bounds))
    .default(standard)
    .meta({ ...about })

export const wholeNumber = (bounds: Bounds, standard: number, about: About) =>
  z
    .int()
    .check(...checksOf(bounds))
    .default(standard)
    .meta({ ...about })
