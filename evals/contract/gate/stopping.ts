/** @file When a comparison may stop asking: in which order prompts are asked, how often it is looked, and how looks spend α. */
import { z } from 'zod'

/**
 * How looks spend a claim's α (Lan and DeMets, Biometrika 70 (1983)): `obrien-fleming` little at first, `pocock` about alike at
 * each, `curtailment` all of it at the last, so that it stops only where no further reply could change the verdict.
 */
export const SPENDINGS = ['curtailment', 'obrien-fleming', 'pocock'] as const

export const StoppingRule = z.strictObject({
  spending: z.enum(SPENDINGS),
  /** How often it is looked at most; the last look is at every prompt. */
  looks: z.int().min(2).max(20).default(5),
  /** Of the order in which prompts are asked. */
  seed: z.int().min(0).default(0),
  /** It stops undecided where the chance that the rest decides is below this, were the change a standard error better; 0: never. */
  futility: z.number().min(0).lt(0.5).default(0.05),
  /**
   * Power that giving up may cost, of a PASS at a harm of half the margin and of a FAIL at two margins, together with `futility`
   * (β-spending); absent, as in plans of before 0.2.0: nothing is given up by it.
   */
  powerLoss: z.number().min(0).lt(0.5).optional(),
})
/** Of a rule that is made now. */
export const POWER_LOSS = 0.02
export type StoppingRule = z.infer<typeof StoppingRule>

/** The looks at one benchmark: the ids of its prompts in the order in which they are asked, and what each look has seen of them. */
export const Looks = z.object({
  rule: StoppingRule,
  order: z.array(z.string()),
  /** Ascending; the last is all of them. `units` are clusters, and prompts that stand by themselves. */
  seen: z.array(z.object({ prompts: z.int().min(1), units: z.int().min(1) })).min(1),
  /** Units of each category among all prompts, so that none is overlooked by stopping early; absent in runs of before 0.2.0. */
  categories: z.array(z.object({ name: z.string(), units: z.int().min(1) })).optional(),
})
export type Looks = z.infer<typeof Looks>
