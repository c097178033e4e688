/** @file A state that a remedy makes of a fine-tune. */
import { z } from 'zod'

/**
 * `tried` is measured on the half of the prompts that a value is chosen on; `chosen`, and `control`, which has its size and not its
 * idea, on the half that is judged on.
 */
export const RemedyRole = z.enum(['tried', 'chosen', 'control'])
export type RemedyRole = z.infer<typeof RemedyRole>

export const RemedyState = z.object({
  kind: z.literal('remedy'),
  /** The fine-tune. */
  of: z.string(),
  remedy: z.string(),
  title: z.string(),
  /** What `value` is. */
  parameter: z.string(),
  value: z.number(),
  role: RemedyRole,
  /** What its control is. */
  control: z.string(),
  /** The most that it may cost, as a share of prompts: of the task's right answers, of capability, of answers to look-alikes. */
  price: z.number(),
})
export type RemedyState = z.infer<typeof RemedyState>

/** The key of such an arm in stored rows. It is not read back: `SubjectIdentity.derivation` holds the fields. */
export const remedyArm = ({
  of,
  remedy,
  role,
  value,
}: Pick<RemedyState, 'of' | 'remedy' | 'role' | 'value'>): string =>
  `remedy:${remedy}@${value} ${role}:${of}`

/** Name of the metric ‖W − W_tuned‖_F over ‖W_tuned − W_base‖_F of such a state, over all weights. */
export const MOVED = 'remedy/moved'
