/** @file What mends a fine-tune: each remedy at a value chosen on one half of the prompts and judged on the other, beside its control. */
import { z } from 'zod'
import { GateOutcome } from '../gate.ts'
import { ArmKey, BENCHMARK_ROLES } from '../rows.ts'
import { Causes } from './causes.ts'
import { OriginRow } from './origin.ts'
import { RemedyState } from './remedy-state.ts'

const Rate = z.object({
  estimate: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  n: z.int(),
})
export type RemedyRate = z.infer<typeof Rate>

/** On the prompts as they are; `task` is the rate of right answers to the fine-tune's own task. */
const ChosenOn = z.object({ refusal: Rate, task: Rate, capability: Rate, overRefusal: Rate })
export type ChosenOn = z.infer<typeof ChosenOn>

const TriedValue = ChosenOn.extend({
  value: z.number(),
  moved: z.number().nullable(),
  /** Whether its price is at most the remedy's. */
  isAffordable: z.boolean(),
})
export type TriedValue = z.infer<typeof TriedValue>

/** Of before − after, on the same prompts; `pValue` is of the exact test. */
const Difference = z.object({
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pValue: z.number(),
  n: z.int(),
})

/** One benchmark, by the judge that decides, on the half that is judged on. */
export const RemedyRates = z.object({
  benchmark: z.string(),
  base: Rate,
  tuned: Rate,
  chosen: Rate,
  control: Rate,
  /** (chosen − tuned)/(base − tuned), and that of the control; null where the fine-tune changed nothing. */
  share: z.number().nullable(),
  controlShare: z.number().nullable(),
  againstTuned: Difference,
  againstControl: Difference,
})
export type RemedyRates = z.infer<typeof RemedyRates>

const Decided = z.object({
  outcome: GateOutcome,
  headline: z.string(),
  /** Roles of the benchmarks that a failed claim is of; absent in runs of earlier versions. */
  failed: z.array(z.enum(BENCHMARK_ROLES)).optional(),
})

/** One remedy of one fine-tune. */
export const RemedyResult = ArmKey.extend({
  step: z.int(),
  ...RemedyState.pick({ remedy: true, title: true, parameter: true, control: true, price: true })
    .shape,
  /** On the half that is chosen on: base, fine-tune, and every value that was tried. */
  base: ChosenOn,
  tuned: ChosenOn,
  tried: z.array(TriedValue),
  /** Null where no value was affordable; the rest is then null or empty. */
  chosen: z.number().nullable(),
  moved: z.number().nullable(),
  controlMoved: z.number().nullable(),
  rates: z.array(RemedyRates),
  /** The gate on the half that it was chosen on, without contexts, and on the other with them: its verdict. */
  onChosen: Decided.nullable(),
  verdict: Decided.nullable(),
})
export type RemedyResult = z.infer<typeof RemedyResult>

/** Parts of the results that are absent where no cause was looked for, no reply was copied from another run, no remedy was tried. */
export const LOOKED_INTO = {
  causes: Causes.optional(),
  origins: z.array(OriginRow).optional(),
  remedies: z.array(RemedyResult).optional(),
}
