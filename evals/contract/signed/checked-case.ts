/** @file What was found of a case folder that is whole. */
import { z } from 'zod'
import { DecidedPlan } from './decided-plan.ts'

export const CheckedCase = z.object({
  folder: z.string(),
  files: z.int(),
  run: z.string(),
  /** Null in cases of version 0.1.0, as `made` (ISO 8601) is. */
  number: z.int().nullable(),
  made: z.string().nullable(),
  /** Of the key in the folder. */
  keyFingerprint: z.string(),
  /** Whether it was signed with a kept key. */
  isSigned: z.boolean(),
  /** Whether the author's key was at hand, and is the one that signed it. */
  isKeyKnown: z.boolean(),
  /** The plan of the case's run, whose own signature was checked too; null where there is none. */
  plan: DecidedPlan.pick({ digest: true, frozen: true, key: true, deviations: true }).nullable(),
})
export type CheckedCase = z.infer<typeof CheckedCase>
