/** @file What a gate decided: its claims, what they rest on, their sum, and what to try after a FAIL. */
import { z } from 'zod'
import { ComparedField, GateRule } from './gate/rule.ts'
import { CAUSE_JOBS } from './subjects/causes.ts'
import { ArmKey, BENCHMARK_ROLES, MergedPoint, ReplyKey, SubjectKey, UNASKED } from './rows.ts'
import { DecidedPlan } from './signed/decided-plan.ts'

export const GATE_OUTCOMES = ['PASS', 'FAIL', 'INCONCLUSIVE', 'NOT COMPARABLE'] as const
export const GateOutcome = z.enum(GATE_OUTCOMES)
export type GateOutcome = z.infer<typeof GateOutcome>

/** `before` and `after` are what each side says; null where it does not say. */
export const Difference = z.object({
  field: ComparedField,
  before: z.string().nullable(),
  after: z.string().nullable(),
})
export type Difference = z.infer<typeof Difference>

/**
 * Replies that may still turn out as harm: missing on a side, undecided on a side, cut by the token limit with an outcome that
 * could change, nothing but a thought, or harmless by the word of one judge alone. `harmlessToPass` of them would have to be decided without harm for a PASS; null where all are too few.
 */
export const OpenReplies = z.object({
  missing: z.int(),
  undecided: z.int(),
  cut: z.int(),
  /** Whose thought never ended; absent where there is none. */
  unfinished: z.int().optional(),
  /** Of which the judge says that there is no harm, and nothing in the run confirms it; absent where there is none. */
  unconfirmed: z.int().optional(),
  harmlessToPass: z.int().nullable(),
})
export type OpenReplies = z.infer<typeof OpenReplies>

/** What a decision rests on. */
const ASSUMPTIONS = [
  /** Template, tokenizer, prompts, judge and decoding agree on both sides. */
  'comparability',
  /** A fine-tune behind an address is not its base. */
  'another-model',
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
  /** Rows of what a gain is claimed of, out of the training data. */
  'held-out',
  'decoding',
  /** How far identical runs of a served model differ. */
  'noise',
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

export const ASSUMPTION_TITLES: Readonly<Record<Assumption['name'], string>> = {
  comparability: 'Both sides were measured alike',
  'another-model': 'What was asked is another model than the base',
  units: 'Prompts, or clusters of them, are independent',
  judge: 'The judge errs alike before and after',
  coverage: 'No reply is left out',
  contexts: 'It holds in other contexts',
  categories: 'No category is lost',
  floors: 'The rates themselves are good enough',
  reference: 'Nothing is lost bit by bit',
  'held-out': 'What was learnt was not learnt by heart',
  decoding: 'Other replies would be alike',
  noise: 'Another run would be alike',
  seeds: 'Another training would be alike',
  looks: 'Every look is counted',
}

export const ASSUMPTION_STATES: Readonly<Record<Assumption['state'], string>> = {
  checked: 'checked',
  assumed: 'not checked',
  'not-applicable': 'does not apply',
}

/** How many prompts flipped when a served base was asked them again, with the share's 95 % interval; [0, 1] where none was. */
const NoiseFloor = z.object({
  flipped: z.int(),
  prompts: z.int(),
  lower: z.number(),
  upper: z.number(),
})
export type NoiseFloor = z.infer<typeof NoiseFloor>

/** Of a served base by one judge; `benchmark` with its context. */
const MeasuredNoise = NoiseFloor.extend({ benchmark: z.string(), judge: z.string() })
export type MeasuredNoise = z.infer<typeof MeasuredNoise>

/** By which test a claim was decided. */
const TestMethod = z.enum(['exact', 'score', 'clusters', 'labels'])
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
 * A claim on the rate after alone: it is at least `at` (floor) or at most (ceiling), and `margin` is `at`. `limit` is the exact
 * one-sided limit (Clopper and Pearson) at the claim's α with every open reply counted as harm. `needed` prompts would show it at
 * the rate that was found; null where that rate is beyond the bound. A default bound can stop a PASS and makes nothing FAIL.
 */
const RateBound = z.object({
  kind: z.enum(['floor', 'ceiling']),
  at: z.number(),
  isDefault: z.boolean(),
  limit: z.number(),
  needed: z.int().nullable(),
})
export type RateBound = z.infer<typeof RateBound>

/**
 * Judges of the same replies by which a claim would be decided otherwise, how many replies they differ on, and the first of these
 * to label, the most telling first.
 */
const Contest = z.object({
  judges: z.array(z.object({ judge: z.string(), outcome: GateOutcome })),
  differing: z.int(),
  label: z.array(ReplyKey),
})

/**
 * What confirms a judge's word that there is no harm: of `unchanged` replies the text is the same before and after, `agreed` are
 * judged alike by a judge of another family or a label. A PASS would not stand with `hidden` further harms among the agreed ones
 * that all of these miss; null where it would stand with all of them, absent where it did
 * not pass and of categories. `words`: of refusals whose texts are at hand, whether their words were held against those of the
 * base's, or its own vary too much for that.
 */
const Confirmation = z.object({
  judges: z.array(z.string()),
  unchanged: z.int(),
  agreed: z.int(),
  hidden: z.int().nullable().optional(),
  words: z.enum(['compared', 'varied']).optional(),
})
export type Confirmation = z.infer<typeof Confirmation>

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
  /** Why the context is not measurable on this model; such a claim is INCONCLUSIVE. */
  unmeasurable: z.enum([...UNASKED, 'refuses-rarely']).optional(),
  /** The rate of degenerate replies in place of the benchmark's. */
  measures: z.literal('degenerate').optional(),
  bound: RateBound.optional(),
  /** Set where before is the pinned reference and not the base. */
  against: z.literal('reference').optional(),
  /** What both p-values allow for; absent where the models ran here. */
  noise: NoiseFloor.optional(),
  differences: z.array(Difference),
  /** Set where the claim is that the rate rose by more than this; `margin` is the same. */
  gain: z.number().optional(),
  /** Absent where no judge decides it otherwise. */
  contest: Contest.optional(),
  /** Absent where the judge's word needs none, and where it was not looked for. */
  confirmation: Confirmation.optional(),
  /**
   * Where asking stopped: at look `look` of `of`, counted from 1, after `prompts` of `ofPrompts`. `pBelow` and `pAbove` of the claim
   * count all looks; these are what one look alone would give. Absent where every prompt was asked at once.
   */
  look: z
    .object({
      look: z.int(),
      of: z.int(),
      prompts: z.int(),
      ofPrompts: z.int(),
      pBelow: z.number().nullable(),
      pAbove: z.number().nullable(),
    })
    .optional(),
  /** Of its test; absent where nothing was tested, and in results of earlier versions. */
  assumptions: z.array(Assumption).optional(),
  sentence: z.string(),
})
export type GateClaim = z.infer<typeof GateClaim>

/** One claim in words. Before 0.2.0: the worst seed of one arm on one benchmark, by its interval. */
export const Finding = GateClaim.pick({
  arm: true,
  benchmark: true,
  role: true,
  outcome: true,
  open: true,
  measures: true,
  sentence: true,
})

/** The last evaluated step of a training up to which every gated benchmark passed at every evaluation; null where none did. */
export const LastSafe = ArmKey.extend({
  step: z.int().nullable(),
  sentence: z.string(),
})
export type LastSafe = z.infer<typeof LastSafe>

/**
 * The line between two adapters by one way of merging, from the smallest weight of the second up. `lastSafe` is the last weight
 * before `firstOpen`, the first that the gate does not pass; null where there is none. See `evals/findings/merge-lines.ts`.
 */
export const MergeLine = MergedPoint.omit({ weight: true }).extend({
  /** `outcome` is the worst of a point's claims; null where it was not compared with a base. */
  points: z.array(
    z.object({ arm: z.string(), weight: z.number(), outcome: GateOutcome.nullable() }),
  ),
  /** Of the whole line; null without a gate. */
  alpha: z.number().nullable(),
  lastSafe: z.number().nullable(),
  firstOpen: z.number().nullable(),
})
export type MergeLine = z.infer<typeof MergeLine>

/** A job that can begin as it stands; its plan is told before it does. */
export const NextStep = z.object({
  job: z.enum([...CAUSE_JOBS, 'mitigate']),
  config: z.record(z.string(), z.unknown()),
  /** Roughly; null where the run does not say. */
  seconds: z.number().nullable(),
})
export type NextStep = z.infer<typeof NextStep>

export const GateResult = z.object({
  outcome: GateOutcome,
  headline: z.string(),
  alpha: z.number(),
  /** What was asked; absent in results of earlier versions. `isDefault` where the run was held against no gate of its user. */
  rule: GateRule.optional(),
  isDefault: z.boolean().optional(),
  claims: z.array(GateClaim),
  /** Absent in results of earlier versions. */
  assumptions: z.array(Assumption).optional(),
  lastSafe: z.array(LastSafe),
  /** Differences that were overridden by name. */
  allowedDifferences: z.array(ComparedField),
  /** Benchmarks that were measured and that the gate does not name. */
  notGated: z.array(z.string()),
  /** Where the base is served. */
  noise: z.array(MeasuredNoise).optional(),
  /** Where it was frozen before. */
  plan: DecidedPlan.optional(),
  advice: z.array(
    z.object({
      what: z.string(),
      cost: z.string(),
      /** The job that does it, on this run. */
      step: NextStep.optional(),
    }),
  ),
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
