/** @file A sweep's cells, what each found, and what they say together. One cell is JSON in, one JSON file out. */
import { z } from 'zod'
import { GateClaim, GateOutcome } from './gate.ts'
import { WireError } from './wire-error.ts'

const PLACE = {
  /** Which curve of a chart the cell belongs to: a method's name, `base`, or a testbed's name. */
  line: z.string(),
  /** Where on the axes it lies; an axis that its method does not have is absent. */
  axes: z.record(z.string(), z.number()),
  seed: z.int().min(0),
  /** Of the cell's own process; part of the spec because sums depend on it. */
  threads: z.int().min(1),
}

/** A fine-tune of a language model, measured and thrown away. */
export const ModelCellSpec = z.object({
  kind: z.literal('model'),
  ...PLACE,
  model: z.string(),
  data: z.string(),
  /** Null measures the base as it is. */
  method: z.string().nullable(),
  methodConfig: z.record(z.string(), z.unknown()),
  training: z.record(z.string(), z.unknown()),
  /** First rows of an order that the seed gives; null takes all. */
  samples: z.int().min(1).nullable(),
  /** Share of rows whose reply is another row's. */
  labelNoise: z.number().min(0).max(1),
  suite: z.array(z.string()),
  limit: z.int().min(1).nullable(),
  /** Steps between evaluations on the suite; null evaluates at the end alone. */
  evalEvery: z.int().min(1).nullable(),
  /** Its states asked in one pass, which rounds otherwise; absent where they are not, as in cells of before. */
  evalTogether: z.literal(true).optional(),
  spectra: z.boolean(),
  batchSize: z.int().min(1),
  /** Given to the base's chat template, as the user wrote them; absent where there are none, as in cells of before. */
  templateVars: z.string().optional(),
  /** Held against the default gate of this margin, with the base; absent where it is not. */
  gate: z.object({ margin: z.number() }).optional(),
})
export type ModelCellSpec = z.infer<typeof ModelCellSpec>

/** One trial of a testbed. */
export const TestbedCellSpec = z.object({
  kind: z.literal('testbed'),
  ...PLACE,
  testbed: z.string(),
  parameters: z.record(z.string(), z.unknown()),
})
export type TestbedCellSpec = z.infer<typeof TestbedCellSpec>

export const CellSpec = z.discriminatedUnion('kind', [ModelCellSpec, TestbedCellSpec])
export type CellSpec = z.infer<typeof CellSpec>

/** What a cell's numbers depend on beside its spec. */
export const CellIdentity = z.object({
  /** sha256 over the base's weights, tokenizer and template; null without a model. */
  base: z.string().nullable(),
  /** sha256 over the fine-tuning data; null without any. */
  data: z.string().nullable(),
  /** sha256 over the prompts, neutral texts and judges; null without any. */
  prompts: z.string().nullable(),
  /** Changes whenever the engine gives other numbers for the same input. */
  numerics: z.string(),
})
export type CellIdentity = z.infer<typeof CellIdentity>

/** One line of `plan.jsonl`. `key` = sha256 of the canonical JSON of {spec, identity}. */
export const PlannedCell = z.object({
  position: z.int().min(0),
  key: z.string().regex(/^[0-9a-f]{64}$/u),
  spec: CellSpec,
  identity: CellIdentity,
})
export type PlannedCell = z.infer<typeof PlannedCell>

export const CellMetric = z.object({
  name: z.string(),
  value: z.number(),
  /** Prompts behind a share; absent for other numbers. */
  n: z.int().optional(),
})
export type CellMetric = z.infer<typeof CellMetric>

/** A measure over steps (or over a testbed's own axis), x ascending. */
export const CellCurve = z.object({
  name: z.string(),
  x: z.array(z.number()),
  y: z.array(z.number()),
})
export type CellCurve = z.infer<typeof CellCurve>

/** What the gate says of a cell beside its base; the claims on whole benchmarks. */
export const CellGate = z.object({
  outcome: GateOutcome,
  claims: z.array(
    GateClaim.pick({ benchmark: true, outcome: true, n: true, lost: true, gained: true }),
  ),
})
export type CellGate = z.infer<typeof CellGate>

/** `cells/KEY.json`: what one cell found, or why it failed. Holds no text of any reply. */
export const CellResult = z.object({
  key: z.string(),
  status: z.enum(['done', 'failed']),
  error: WireError.nullable(),
  metrics: z.array(CellMetric),
  curves: z.array(CellCurve),
  /** Absent where it was not asked for, and of a failed cell. */
  gate: CellGate.optional(),
  /** Of the process that ran it. */
  seconds: z.number().min(0),
})
export type CellResult = z.infer<typeof CellResult>

export const CellRow = z.object({ ...PlannedCell.shape, ...CellResult.shape })
export type CellRow = z.infer<typeof CellRow>

/** Values of one measure over the seeds of one place. */
export const SeedSummary = z.object({
  line: z.string(),
  axes: z.record(z.string(), z.number()),
  metric: z.string(),
  seeds: z.int(),
  median: z.number(),
  mean: z.number(),
  minimum: z.number(),
  maximum: z.number(),
})
export type SeedSummary = z.infer<typeof SeedSummary>

export const SweepAxis = z.object({
  name: z.string(),
  title: z.string(),
  scale: z.enum(['linear', 'log']),
  values: z.array(z.number()),
})
export type SweepAxis = z.infer<typeof SweepAxis>

export const MetricTitle = z.object({
  name: z.string(),
  title: z.string(),
  unit: z.enum(['share', 'nats', 'number']),
})
export type MetricTitle = z.infer<typeof MetricTitle>

/** A measure over steps for the seeds of one place: median and range at each step that every seed has. */
export const CurveSummary = z.object({
  line: z.string(),
  axes: z.record(z.string(), z.number()),
  name: z.string(),
  seeds: z.int(),
  points: z.array(
    z.object({ x: z.number(), median: z.number(), minimum: z.number(), maximum: z.number() }),
  ),
})
export type CurveSummary = z.infer<typeof CurveSummary>

/** Loss rebound over steps (docs/methods/double-descent.md), one training curve. */
export const ReboundRow = z.object({
  line: z.string(),
  axes: z.record(z.string(), z.number()),
  seed: z.int(),
  outcome: z.enum(['none', 'double_descent', 'divergence']),
  /** R; null where it is infinite or cannot be told. */
  rebound: z.number().nullable(),
  recovery: z.number().nullable(),
  /** P(noise alone rises as far), by simulation; null where R < 0.10 or too few steps tell. Absent in earlier results. */
  pValue: z.number().nullish(),
})
export type ReboundRow = z.infer<typeof ReboundRow>

/**
 * Is there an inner peak of the error (or an inner low of a rate that should be high) along one axis, or along a training, the
 * axis `epoch` or `step` (docs/methods/double-descent.md)?
 * `sentence` says what was found, with its error rate.
 */
export const DescentRow = z.object({
  line: z.string(),
  axis: z.string(),
  /** Values of the other axes. */
  axes: z.record(z.string(), z.number()),
  metric: z.string(),
  seeds: z.int(),
  /** Absent in earlier results. */
  places: z.int().optional(),
  shape: z.enum(['peak', 'valley']),
  outcome: z.enum(['peak', 'no peak seen', 'cannot tell']),
  /** Where, with a 95 % bootstrap interval over seeds; null where no inner place stands out. */
  peak: z.number().nullable(),
  peakLower: z.number().nullable(),
  peakUpper: z.number().nullable(),
  /** Where the median over seeds is highest (lowest for a valley), ends included. */
  extreme: z.number(),
  /** Height in standard deviations between seeds at one place. */
  effect: z.number().nullable(),
  pValue: z.number().nullable(),
  /** Holm's p over every test of the sweep; null without a test, absent in earlier results. */
  adjusted: z.number().nullish(),
  /** The best fitting curve without an inner peak, with the 95 % range of the mean of so many seeds; absent in earlier results. */
  without: z
    .array(z.object({ x: z.number(), y: z.number(), lower: z.number(), upper: z.number() }))
    .optional(),
  /** Chance of finding a peak of that height, in the same unit. */
  power: z.array(z.object({ height: z.number(), power: z.number() })),
  sentence: z.string(),
})
export type DescentRow = z.infer<typeof DescentRow>

/** Where a training begins to fit every row, wrong labels included: its training error is 0 in half of the seeds or more. */
export const Threshold = z.object({
  line: z.string(),
  /** As of a DescentRow. */
  axis: z.string(),
  axes: z.record(z.string(), z.number()),
  /** The lowest such place, or along samples the highest; null if no place is one. */
  at: z.number().nullable(),
})
export type Threshold = z.infer<typeof Threshold>

/** The smallest peak that an axis with so many seeds and places shows, in standard deviations between seeds. */
export const PeakSight = z.object({
  axis: z.string(),
  seeds: z.int(),
  places: z.int(),
  /** Found in at least 80 % of sweeps, by simulation with the same test; null above 4. */
  smallest: z.number().nullable(),
})
export type PeakSight = z.infer<typeof PeakSight>

/** What a planned sweep can see along an axis, and how many seeds or places more would see. */
export const PeakPlan = z.object({
  ...PeakSight.shape,
  /** A standard deviation between seeds in units of the measure, from a pilot; null without one. */
  sd: z.number().nullable(),
  /** Heights in standard deviations, and the fewest seeds of 3, 5, 10, 20 and 40 that see each; null where 40 do not. */
  needed: z.array(z.object({ height: z.number(), seeds: z.int().nullable() })),
})
export type PeakPlan = z.infer<typeof PeakPlan>

const PairedEffect = z.object({
  /** Means over seeds. */
  own: z.number(),
  against: z.number(),
  /** own − against, with a 95 % interval by Student's t. */
  difference: z.number(),
  lower: z.number(),
  upper: z.number(),
  pValue: z.number(),
  /** The difference that the seeds would show with a chance of 80 %. */
  smallest: z.number(),
})

/** Does `line` lower the peak of `against`? By p ≤ 0.05; 'not found' where the interval lies within a quarter of its height. */
export const PeakOutcome = z.enum(['found', 'not found', 'opposite', 'cannot be told apart'])
export type PeakOutcome = z.infer<typeof PeakOutcome>

/** The inner peaks (or lows) of two lines along one axis, seed by seed. */
export const PeakComparison = z.object({
  line: z.string(),
  against: z.string(),
  axis: z.string(),
  /** Values of the other axes. */
  axes: z.record(z.string(), z.number()),
  metric: z.string(),
  shape: z.enum(['peak', 'valley']),
  seeds: z.int(),
  /** Above the envelope, in units of the measure; its p by Holm over the comparisons of the measure. */
  height: PairedEffect,
  /** In doublings on a logarithmic axis. */
  place: PairedEffect,
  /** Between curve and envelope, measure times place. */
  area: PairedEffect,
  outcome: PeakOutcome,
})
export type PeakComparison = z.infer<typeof PeakComparison>

/** The section of `results.json` that a sweep adds. */
export const Sweep = z.object({
  id: z.string(),
  preset: z.string().nullable(),
  /** Why it was run; asked for on any model but the bundled one. */
  purpose: z.string().nullable(),
  axes: z.array(SweepAxis),
  lines: z.array(z.object({ name: z.string(), title: z.string() })),
  metrics: z.array(MetricTitle),
  /** In the order of the plan; training curves are in the cells' files. */
  cells: z.array(CellRow.omit({ curves: true })),
  summaries: z.array(SeedSummary),
  curves: z.array(CurveSummary),
  rebounds: z.array(ReboundRow),
  descents: z.array(DescentRow),
  /** Absent in earlier results, as is `sight`. */
  thresholds: z.array(Threshold).optional(),
  sight: z.array(PeakSight).optional(),
  comparisons: z.array(PeakComparison).optional(),
})
export type Sweep = z.infer<typeof Sweep>
