/** @file The plan of a decision, and each thing in which the run is not as planned. */
import { z } from 'zod'
import { StoppingRule } from '../gate/stopping.ts'

/** What of a run is not as planned. */
export const DEVIATIONS = [
  /** It did not begin under the plan. */
  'begun',
  /** The token of its time-stamping authority is later than the run's beginning. */
  'stamped',
  'gate',
  'benchmark',
  'prompts',
  'fewer-prompts',
  'judge',
  'judge-version',
  'context',
  'decoding',
  'seeds',
  'stopping',
  /** It was looked at more often: earlier runs were under the same plan, or asked the same fine-tune the same prompts. */
  'looks',
] as const

/** `at` is the benchmark, judge, context or field of the gate; null for the whole. `planned` or `found` is null where there is none. */
export const Deviation = z.object({
  kind: z.enum(DEVIATIONS),
  at: z.string().nullable(),
  planned: z.string().nullable(),
  found: z.string().nullable(),
})
export type Deviation = z.infer<typeof Deviation>

/** The plan of a decision. `digest` is the SHA-256 of what was signed; `key` the fingerprint of the signer's, null for none. */
export const DecidedPlan = z.object({
  digest: z.string(),
  frozen: z.string(),
  key: z.string().nullable(),
  /** What a time-stamping authority's token says, whose own signature is not checked here; null without one. */
  stamped: z.string().nullable(),
  /** Null where every prompt is asked and it is looked at once. */
  stopping: StoppingRule.nullable(),
  deviations: z.array(Deviation),
})
export type DecidedPlan = z.infer<typeof DecidedPlan>
