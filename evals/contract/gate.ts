/** @file What a gate decided: one claim a model state and benchmark, their sum, and what to try after a FAIL. */
import { z } from 'zod'
import { ArmKey, BENCHMARK_ROLES, SubjectKey } from './rows.ts'

export const GATE_OUTCOMES = ['PASS', 'FAIL', 'INCONCLUSIVE', 'NOT COMPARABLE'] as const
export const GateOutcome = z.enum(GATE_OUTCOMES)
export type GateOutcome = z.infer<typeof GateOutcome>

/** What must agree before two runs may be compared. */
export const COMPARED_FIELDS = [
  'template',
  'tokenizer',
  'context',
  'prompts',
  'prompt-text',
  'judge-version',
  'max-new-tokens',
  'samples',
  'temperature',
  'seed',
] as const
export const ComparedField = z.enum(COMPARED_FIELDS)
export type ComparedField = z.infer<typeof ComparedField>

/** What a score of a foreign metric means: whether higher or lower is better, and the role that it is read in. */
export const MetricMeaning = z.templateLiteral([
  z.enum(['higher', 'lower']),
  ':',
  z.enum(BENCHMARK_ROLES),
])
export type MetricMeaning = z.infer<typeof MetricMeaning>

/** `before` and `after` are what each side says; null where it does not say. */
export const Difference = z.object({
  field: ComparedField,
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type Difference = z.infer<typeof Difference>

/**
 * Replies that may still turn out as harm: missing on a side, undecided on a side, cut by the token limit with an outcome that
 * could change. `harmlessToPass` of them would have to be decided without harm for a PASS; null where all are too few.
 */
export const OpenReplies = z.object({
  missing: z.int(),
  undecided: z.int(),
  cut: z.int(),
  harmlessToPass: z.int().nullable(),
})
export type OpenReplies = z.infer<typeof OpenReplies>

/** What a decision rests on. */
const ASSUMPTIONS = [
  /** Template, tokenizer, prompts, judge and decoding agree on both sides. */
  'comparability',
  /** What is independent of what: prompts, or clusters of prompts. */
  'units',
  /** The judge's error, in each state. */
  'judge',
  /** Replies that are missing, undecided or cut. */
  'coverage',
  'contexts',
  'categories',
  'floors',
  /** The run that is pinned beside the base. */
  'reference',
  'decoding',
  'seeds',
  /** How often this was looked at. */
  'looks',
] as const

/** One thing that a decision rests on, and how it was checked in this run; `how` is a clause without a full stop. */
export const Assumption = z.object({
  name: z.enum(ASSUMPTIONS),
  state: z.enum(['checked', 'assumed', 'not-applicable']),
  how: z.string(),
})
export type Assumption = z.infer<typeof Assumption>

/** By which test a claim was decided. */
export const TestMethod = z.enum(['exact', 'score', 'clusters'])
export type TestMethod = z.infer<typeof TestMethod>

/** The units of a claim whose prompts depend on each other within clusters. */
export const ClusterFacts = z.object({
  clusters: z.int(),
  /** How many independent prompts they are worth where all prompts of a cluster are alike (Kish). */
  worth: z.number(),
  /** Intra-cluster correlation of the change; null where nothing varies. */
  icc: z.number().nullable(),
  /** Variance of the mean change over what it would be were the prompts independent; null where nothing varies. */
  designEffect: z.number().nullable(),
  /** Whether they are near-duplicates that were found, none being named. */
  isProposed: z.boolean(),
})
export type ClusterFacts = z.infer<typeof ClusterFacts>

/**
 * One model state on one benchmark against the margin. `harm` = drop (refusal, capability) or rise (over-refusal) of the
 * rate, (lost − gained)/n with its 95 % interval; `pBelow` of "harm ≥ margin", `pAbove` of "harm ≤ margin". Where prompts were
 * answered more than once n, lost and gained count pairs of replies, and rates and harm are means over prompts. Only `pBelow`
 * counts `open` replies, each as harm; everything else is of the decided pairs.
 */
export const GateClaim = SubjectKey.extend({
  benchmark: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  judge: z.string(),
  outcome: GateOutcome,
  margin: z.number(),
  alpha: z.number(),
  n: z.int(),
  lost: z.int(),
  gained: z.int(),
  before: z.number().nullable(),
  after: z.number().nullable(),
  harm: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pBelow: z.number().nullable(),
  pAbove: z.number().nullable(),
  method: TestMethod.nullable(),
  droppedUndecided: z.int(),
  /** Absent where nothing is open, and in results of earlier versions. */
  open: OpenReplies.optional(),
  /** Absent where prompts are the units, and in results of earlier versions. */
  clusters: ClusterFacts.optional(),
  /** Only prompts of this category, or only replies in this context. */
  category: z.string().optional(),
  context: z.string().optional(),
  /** The rate of degenerate replies in place of the benchmark's. */
  measures: z.literal('degenerate').optional(),
  differences: z.array(Difference),
  /** Of its test; absent where nothing was tested, and in results of earlier versions. */
  assumptions: z.array(Assumption).optional(),
  sentence: z.string(),
})
export type GateClaim = z.infer<typeof GateClaim>

/** The last evaluated step of a training up to which every gated benchmark passed at every evaluation; null where none did. */
export const LastSafe = ArmKey.extend({
  step: z.int().nullable(),
  sentence: z.string(),
})
export type LastSafe = z.infer<typeof LastSafe>

export const GateResult = z.object({
  outcome: GateOutcome,
  headline: z.string(),
  alpha: z.number(),
  claims: z.array(GateClaim),
  lastSafe: z.array(LastSafe),
  /** Differences that were overridden by name. */
  allowedDifferences: z.array(ComparedField),
  /** Benchmarks that were measured and that the gate does not name. */
  notGated: z.array(z.string()),
  advice: z.array(z.object({ what: z.string(), cost: z.string() })),
})
export type GateResult = z.infer<typeof GateResult>

/** Where along a training a rate changed: the first evaluated step after the change, and the rates on both sides. */
export const ChangePointRow = ArmKey.extend({
  benchmark: z.string(),
  judge: z.string(),
  step: z.int(),
  before: z.number(),
  after: z.number(),
  pValue: z.number(),
})
export type ChangePointRow = z.infer<typeof ChangePointRow>
