/** @file The change of a rate on the same prompts, before and after, counting what counts in it. */
import { z } from 'zod'
import { OpenReplies } from './gate.ts'

export const RateChange = z.object({
  a: z.int(),
  b: z.int(),
  c: z.int(),
  d: z.int(),
  n: z.int(),
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pValue: z.number(),
  droppedUndecided: z.int(),
  /** Tango's score interval of the difference; null where prompts were answered more than once, absent in earlier results. */
  score: z.object({ lower: z.number(), upper: z.number() }).nullish(),
  /**
   * Where prompts were answered more than once: a to d and n count pairs of replies, the rates and their difference are means over
   * prompts, and `pValue` is of the exact test that flips the signs of prompts (`evals/statistics/paired/sign-flip.ts`).
   */
  repeated: z.object({ prompts: z.int(), before: z.number(), after: z.number() }).optional(),
  /** With the limits of `difference` if every open reply were harm. Absent where nothing is open, and in earlier results. */
  open: OpenReplies.extend({ lower: z.number(), upper: z.number() }).optional(),
})
export type RateChange = z.infer<typeof RateChange>
