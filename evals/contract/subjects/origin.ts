/** @file Where the rows of an evaluation come from that was not asked, or not all of it. */
import { z } from 'zod'
import { SubjectKey } from '../rows.ts'

/**
 * `base`: rows of the base, of a state that answers as it does. `cache`: `kept` prompts of the base were answered in these earlier
 * runs. `checked` prompts were asked all the same, and answered alike.
 */
export const Origin = z.discriminatedUnion('from', [
  z.object({ from: z.literal('base'), checked: z.int() }),
  z.object({
    from: z.literal('cache'),
    runs: z.array(z.string()),
    kept: z.int(),
    checked: z.int(),
  }),
])
export type Origin = z.infer<typeof Origin>

/** Of one model state on one benchmark or text. */
export const OriginRow = SubjectKey.extend({ benchmark: z.string(), origin: Origin })
export type OriginRow = z.infer<typeof OriginRow>
