/** @file How much training it takes until the gate says FAIL: the smallest budget of each line, and what lines say together. */
import { z } from 'zod'
import { CurveSummary, SweepAxis } from './sweeps.ts'

/**
 * One line, followed by bisection: a base, a method and a place on the other axes, with one seed. The gate first says FAIL
 * above `lower` and at `upper` at the latest; `lower` null: at the smallest budget already; `upper` null: never.
 */
const BudgetSeed = z.object({
  seed: z.int(),
  outcome: z.enum(['failed', 'never', 'error']),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  /** False where a larger budget did not fail and a smaller one did. */
  isMonotone: z.boolean(),
  /** Budgets that were tried. */
  tried: z.int(),
})
export type BudgetSeed = z.infer<typeof BudgetSeed>

const BudgetPoint = z.object({
  x: z.number(),
  /** Share of seeds that have not failed up to here (Kaplan and Meier), with pointwise 95 % limits. */
  surviving: z.number(),
  lower: z.number(),
  upper: z.number(),
})

const BudgetLine = z.object({
  model: z.string(),
  line: z.string(),
  /** Places on the other axes. */
  axes: z.record(z.string(), z.number()),
  seeds: z.array(BudgetSeed),
  curve: z.array(BudgetPoint),
  /** Half of the seeds have failed there; null where most never did. */
  median: z.number().nullable(),
  /** Of 95 %; null where so few seeds tell nothing of that side. */
  medianLower: z.number().nullable(),
  medianUpper: z.number().nullable(),
  /** Training rows read up to the median, repeats counted; null without a median. */
  rowsRead: z.number().nullable(),
  /** Wall-clock hours times threads of a fine-tune at the median, its evaluation included: the median of those that were timed. */
  threadHours: z.number().nullable(),
})
export type BudgetLine = z.infer<typeof BudgetLine>

/** The budgets of two bases, compared within each method and place. */
const BudgetComparison = z.object({
  first: z.string(),
  second: z.string(),
  strata: z.int(),
  /** Log-rank; above 0 the first fails earlier. */
  z: z.number(),
  pValue: z.number(),
  /** By dealing the bases anew within each stratum; exact up to `draws`. */
  permutation: z.number(),
  draws: z.int(),
})

/** The worst rate of one benchmark over the fine-tunes of the family, without the place where it was found. */
const WorstRate = z.object({
  benchmark: z.string(),
  model: z.string(),
  rate: z.number(),
  /** Lower for rates that should be high, upper for the others: 95 % for all fine-tunes, bases and benchmarks of the plan at once (Bonferroni). */
  limit: z.number(),
  isHighGood: z.boolean(),
  measured: z.int(),
  planned: z.int(),
})
export type WorstRate = z.infer<typeof WorstRate>

/** The section of `results.json` that a budget adds. */
export const Budget = z.object({
  along: SweepAxis,
  margin: z.number(),
  benchmarks: z.array(z.string()),
  purpose: z.string().nullable(),
  lines: z.array(BudgetLine),
  comparison: BudgetComparison.nullable(),
  worst: z.array(WorstRate),
  cells: z.object({ done: z.int(), failed: z.int(), planned: z.int() }),
  /** For models other than Pebble: rates over the steps of the one configuration, and nothing else. */
  curves: z.array(CurveSummary),
})
export type Budget = z.infer<typeof Budget>
