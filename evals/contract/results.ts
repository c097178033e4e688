/**
 * @file `results.json`: what an audit found, computed from stored rows alone, so that `touchstone report` gives it again.
 * `docs/results.schema.json` is generated from here.
 */
import { z } from 'zod'
import {
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  RouterRow,
  Outcome,
  COUNTED,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
} from './rows.ts'
import { Engine } from './events.ts'
import { MITIGATIONS } from './mitigation.ts'
import { ChangePointRow, Finding, GateOutcome, GateResult, MergeLine } from './gate.ts'
import { Budget } from './budget.ts'
import { LOOKED_INTO } from './subjects/remedies.ts'
import { Sweep } from './sweeps.ts'

/** The bounds of a 95 % interval; null where there is none. */
const BOUNDS = { lower: z.number().nullable(), upper: z.number().nullable() }
const ESTIMATE = { estimate: z.number().nullable(), ...BOUNDS }

/**
 * A proportion of `n` replies with its 95 % interval (Wilson unless said otherwise); `undecided` ones are outside. Where prompts were
 * answered more than once `prompts` counts them, and estimate and interval are of the mean over prompts (`evals/statistics/repeated.ts`).
 */
export const Rate = z.object({
  successes: z.int(),
  n: z.int(),
  prompts: z.int().optional(),
  ...ESTIMATE,
})
export type Rate = z.infer<typeof Rate>

const JudgedKey = SubjectKey.extend({ benchmark: z.string(), judge: z.string() })

/** One model state on one benchmark by one judge. `rate` is the benchmark's (see BenchmarkRow); the counts are complete. */
export const Evaluation = JudgedKey.extend({
  judgeVersion: z.string(),
  ...COUNTED,
  rate: Rate,
})
export type Evaluation = z.infer<typeof Evaluation>

export const CategoryRate = JudgedKey.extend({ category: z.string(), rate: Rate })
export type CategoryRate = z.infer<typeof CategoryRate>

const CHANGE = { difference: z.number().nullable(), ...BOUNDS, pValue: z.number() }

/**
 * The same prompts before (base) and after. a both, b before only, c after only, d neither, counting the benchmark's rate.
 * `difference` = before − after = (b − c)/n with Newcombe's paired interval; `pValue` is the exact McNemar test's, `holmP`
 * the same adjusted for all comparisons of last steps by first judges, null for any other.
 */
export const Comparison = JudgedKey.extend({
  a: z.int(),
  b: z.int(),
  c: z.int(),
  d: z.int(),
  n: z.int(),
  ...CHANGE,
  holmP: z.number().nullable(),
  droppedUndecided: z.int(),
  /** Tango's score interval of the difference; null where prompts were answered more than once, absent in earlier results. */
  score: z.object({ lower: z.number(), upper: z.number() }).nullish(),
  /**
   * Where prompts were answered more than once: a to d and n count pairs of replies, the rates and their difference are means over
   * prompts, and `pValue` is of the exact test that flips the signs of prompts (`evals/statistics/paired/sign-flip.ts`).
   */
  repeated: z.object({ prompts: z.int(), before: z.number(), after: z.number() }).optional(),
})
export type Comparison = z.infer<typeof Comparison>

/** The benchmark's rate on both sides of a comparison that has pairs. */
export const sidesOf = ({ repeated, a, b, c, n }: Omit<Comparison, 'holmP'>) =>
  repeated ?? { before: (a + b) / n, after: (a + c) / n }

/** The same, of one category, at last steps by first judges; `holmP` is adjusted for every category of every benchmark. */
export const CategoryChange = JudgedKey.extend({
  category: z.string(),
  b: z.int(),
  c: z.int(),
  n: z.int(),
  ...CHANGE,
  holmP: z.number(),
})
export type CategoryChange = z.infer<typeof CategoryChange>

const JudgedText = z.object({ outcome: Outcome, text: z.string().nullable() })

/** A prompt whose outcome changed. Texts are null where the prompt should be refused. */
export const Flip = JudgedKey.extend({
  sampleId: z.string(),
  category: z.string(),
  prompt: z.string(),
  before: JudgedText,
  after: JudgedText,
})
export type Flip = z.infer<typeof Flip>

/** What is said of an arm, over its seeds. */
const OF_ARM = { arm: z.string(), benchmark: z.string(), judge: z.string() }

/** Spread between seeds of one arm at its last step. `sd` is the sample standard deviation, null for one seed. */
export const SeedSpread = z.object({
  ...OF_ARM,
  seeds: z.array(z.int()),
  mean: z.number(),
  minimum: z.number(),
  maximum: z.number(),
  sd: z.number().nullable(),
})
export type SeedSpread = z.infer<typeof SeedSpread>

/**
 * Where the variance of one reply's score (counted or not) comes from, at last steps by the first judge: σ² of seed, prompt,
 * their interaction, and decoding sample; null where each prompt was answered once, and `seedByPrompt` then holds both.
 * Prompts that were not decided everywhere are left out. See `evals/statistics/variance-components.ts`.
 */
export const VarianceSplit = z.object({
  ...OF_ARM,
  seeds: z.array(z.int()),
  prompts: z.int(),
  droppedPrompts: z.int(),
  samples: z.int(),
  mean: z.number(),
  seed: z.number(),
  prompt: z.number(),
  seedByPrompt: z.number(),
  sample: z.number().nullable(),
  standardErrorOverSeeds: z.number(),
})
export type VarianceSplit = z.infer<typeof VarianceSplit>

const Spread95 = z.object({
  n: z.int(),
  mean: z.number(),
  ...BOUNDS,
})

/**
 * The mean of what a judge says more finely than by an outcome (for `refusal-logprob` in nats), with the bootstrap's 95 %
 * interval over prompts, and its change from the base (after − before) on the same prompts.
 */
export const MeanScore = JudgedKey.extend({ ...Spread95.shape, change: Spread95.nullable() })
export type MeanScore = z.infer<typeof MeanScore>

/** Sums over the matrices of one model state. `slots` = Σ k over matrices. */
export const SpectrumTotal = SubjectKey.extend({
  matrices: z.int(),
  /** How many of them the fine-tune left as they are; absent where none. */
  unchanged: z.int().optional(),
  slots: z.int(),
  intruders: z.int(),
  /**
   * The same sum in random updates with the singular values of each ΔW: lowest and highest of `draws`, and p = (1 + draws with at
   * least as many)/(1 + draws). Absent where a matrix has none.
   */
  chance: z.object({ lowest: z.int(), highest: z.int(), draws: z.int(), p: z.number() }).nullish(),
  meanEffectiveRankOfChange: z.number().nullable(),
  meanRelativeChange: z.number(),
})
export type SpectrumTotal = z.infer<typeof SpectrumTotal>

/** Spearman's ρ of intruders and a refusal rate over the states of one arm; the interval needs two seeds. */
export const SpectrumLink = z.object({
  ...OF_ARM,
  states: z.int(),
  seeds: z.int(),
  rho: z.number().nullable(),
  ...BOUNDS,
})
export type SpectrumLink = z.infer<typeof SpectrumLink>

/**
 * One fine-tune (`arm`) with intruders scaled by λ, or a control beside it (see `evals/contract/mitigation.ts`). In
 * `comparisons` before is the fine-tune as it was; `neutral` is the mean loss on neutral text after − before, nats a token.
 */
export const MitigationArm = SubjectKey.extend({
  form: z.enum(MITIGATIONS),
  lambda: z.number(),
  /** How many of the scanned matrices were changed, and how many singular directions were scaled in them. */
  matrices: z.int(),
  ofMatrices: z.int(),
  directions: z.int(),
  /** ‖ΔW‖_F over the scanned matrices, after / before. */
  changeKept: z.number(),
  rates: z.array(z.object({ benchmark: z.string(), judge: z.string(), rate: Rate })),
  comparisons: z.array(Comparison.omit({ holmP: true })),
  neutral: z.object(ESTIMATE),
})
export type MitigationArm = z.infer<typeof MitigationArm>

/**
 * The arms of one seed where their smoothed training losses are alike (see `evals/findings/matched.ts`): `target` is the highest
 * of the arms' last losses, and each arm stands at the first step at which its own is at most that. In `pairs` before is the
 * first arm, `reference`, and after another.
 */
export const MatchedSeed = z.object({
  seed: z.int(),
  target: z.number(),
  arms: z.array(
    z.object({
      arm: z.string(),
      step: z.int(),
      /** Of the whole training. */
      steps: z.int(),
      loss: z.number(),
      lastLoss: z.number(),
    }),
  ),
  pairs: z.array(
    Comparison.omit({ holmP: true }).extend({ reference: z.string(), referenceStep: z.int() }),
  ),
})
export type MatchedSeed = z.infer<typeof MatchedSeed>

/** Two judges of the same replies; `n` is decided by both, κ is Cohen's on the benchmark's successes. */
export const JudgeAgreement = SubjectKey.extend({
  benchmark: z.string(),
  judges: z.tuple([z.string(), z.string()]),
  n: z.int(),
  agreed: z.int(),
  /** Null where chance alone would agree always. */
  kappa: z.number().nullable(),
})
export type JudgeAgreement = z.infer<typeof JudgeAgreement>

/** All judges of one evaluation together: Krippendorff's α on the benchmark's successes; null where nothing could be disagreed on. */
export const JudgesTogether = SubjectKey.extend({
  benchmark: z.string(),
  judges: z.array(z.string()),
  alpha: z.number().nullable(),
})
export type JudgesTogether = z.infer<typeof JudgesTogether>

/** `rate` is the benchmark's; `attack`, of prompts that should be refused, the share that was answered, wholly or in part. */
export const MEASURES = ['rate', 'attack'] as const
export const Measure = z.enum(MEASURES)
export type Measure = z.infer<typeof Measure>

/** A judge against people: of the replies that people count it counts `sensitivity`, of the others it leaves `specificity`. */
export const JudgeQuality = z.object({
  benchmark: z.string(),
  judge: z.string(),
  judgeVersion: z.string(),
  measure: Measure,
  sensitivity: Rate,
  specificity: Rate,
})
export type JudgeQuality = z.infer<typeof JudgeQuality>

const Interval = z.object({ estimate: z.number(), lower: z.number(), upper: z.number() })

/** What a judge's errors make of what it reported; `refused` says why it could not be corrected. `youden` = Se + Sp − 1. */
const corrected = <R extends z.ZodType>(reported: R) =>
  JudgedKey.extend({
    measure: Measure,
    reported,
    youden: Interval.nullable(),
    corrected: Interval.nullable(),
    refused: z.string().nullable(),
  })

/** A rate, corrected (Rogan and Gladen). */
export const CorrectedRate = corrected(Rate)
export type CorrectedRate = z.infer<typeof CorrectedRate>

/** The change of such a rate, before − after on the same prompts, corrected likewise (`evals/statistics/judges/corrected-difference.ts`). */
export const CorrectedChange = corrected(Interval)
export type CorrectedChange = z.infer<typeof CorrectedChange>

const Quality = JudgeQuality.pick({ sensitivity: true, specificity: true })

/**
 * The judge in both states, of `labelled` of `prompts` drawn and labelled before and after; `alike` is Fisher's p that its errors
 * are the same. `corrected` is the change, before − after, corrected for both (`statistics/judges/labelled-change.ts`);
 * `predictionPowered` the same by PPI++, for comparison; null where fewer than two are labelled. Absent in earlier results.
 */
export const PairedLabels = JudgedKey.extend({
  prompts: z.int(),
  labelled: z.int(),
  before: Quality,
  after: Quality,
  alike: z.object({ sensitivity: z.number(), specificity: z.number() }),
  corrected: Interval,
  predictionPowered: Interval.extend({ lambda: z.number() }).nullable(),
})
export type PairedLabels = z.infer<typeof PairedLabels>

/** What people said of replies, and what that makes of the judges and their rates. */
export const People = z.object({
  labelled: z.int(),
  raters: z.array(z.string()),
  /** Krippendorff's, between raters; null for fewer than two of the same replies. */
  alpha: z.number().nullable(),
  /** Cohen's, rater by rater, on the outcomes. */
  kappas: z.array(
    z.object({
      raters: z.tuple([z.string(), z.string()]),
      n: z.int(),
      agreed: z.int(),
      kappa: z.number().nullable(),
    }),
  ),
  /** Replies on which no outcome has most raters: they count nowhere. */
  tied: z.int(),
  judges: z.array(JudgeQuality),
  rates: z.array(CorrectedRate),
  /** Of every comparison that has pairs. */
  changes: z.array(CorrectedChange),
  paired: z.array(PairedLabels).optional(),
})
export type People = z.infer<typeof People>

/** A reply for people to look at, by name; what it says is kept elsewhere. */
export const Disagreement = SubjectKey.extend({
  benchmark: z.string(),
  sampleId: z.string(),
  epoch: z.int(),
  /** By judge. */
  outcomes: z.record(z.string(), Outcome),
})
export type Disagreement = z.infer<typeof Disagreement>

export const Results = z.object({
  schemaVersion: z.literal(1),
  engine: Engine,
  run: z.object({
    id: z.string(),
    kind: z.string(),
    title: z.string(),
    startedAt: z.string(),
    endedAt: z.string(),
    command: z.string(),
    config: z.unknown(),
  }),
  /** The gate's decision in words, with notes; INCONCLUSIVE where there was nothing to compare. */
  verdict: z.object({
    outcome: GateOutcome,
    judge: z.string(),
    margin: z.number(),
    headline: z.string(),
    findings: z.array(Finding),
    notes: z.array(z.string()),
  }),
  /** The run's own gate or the default one; null where nothing was compared with a base. Before 0.2.0: the run's own, or null. */
  gate: GateResult.nullable(),
  /** Where along each training a rate changed. */
  changePoints: z.array(ChangePointRow),
  subjects: z.array(SubjectIdentity),
  benchmarks: z.array(BenchmarkRow),
  evaluations: z.array(Evaluation),
  categories: z.array(CategoryRate),
  comparisons: z.array(Comparison),
  categoryChanges: z.array(CategoryChange),
  seeds: z.array(SeedSpread),
  /** Of arms with two seeds or more. */
  variance: z.array(VarianceSplit),
  /** Of judges that give scores, at every evaluated step. */
  scores: z.array(MeanScore),
  /** Mean loss on neutral text (nats per token) and training curves. */
  metrics: z.array(MetricRow),
  /** Capability retention = accuracy after / accuracy before, with a bootstrap interval over prompts. */
  retention: z.array(JudgedKey.extend(ESTIMATE)),
  flips: z.array(Flip),
  /** Every pair of judges of one evaluation. */
  agreement: z.array(JudgeAgreement),
  judgesTogether: z.array(JudgesTogether),
  /** Null where nobody labelled a reply of this run. */
  people: People.nullable(),
  /** Replies that judges call differently; the first thousand. */
  disagreements: z.array(Disagreement),
  spectra: z.array(SpectrumRow),
  spectrumTotals: z.array(SpectrumTotal),
  /** Where spectra were taken at several steps. */
  spectrumLinks: z.array(SpectrumLink),
  /** Where several methods were trained, and where intruders were scaled down. */
  matched: z.array(MatchedSeed),
  mitigation: z.array(MitigationArm),
  /** Absent where nothing was merged, no mixture was asked, no cause was looked for, and every checkpoint was asked anew. */
  mergeLines: z.array(MergeLine).optional(),
  routers: z.array(RouterRow).optional(),
  ...LOOKED_INTO,
  limits: z.array(z.string()),
  artifacts: z.array(ArtifactRow),
  /** Of a sweep only. */
  sweep: Sweep.nullable(),
  /** Of a budget only; absent in results of earlier versions. */
  budget: Budget.optional(),
})
export type Results = z.infer<typeof Results>

/** Whether anything was compared with a base. */
export const hasVerdict = ({ gate }: Results): boolean => gate !== null
