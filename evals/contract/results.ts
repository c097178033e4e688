/**
 * @file `results.json`: what an audit found, computed from stored rows alone, so that `touchstone report` gives it again.
 * `docs/results.schema.json` is generated from here.
 */
import { z } from 'zod'
import {
  ArtifactRow,
  BenchmarkRow,
  BENCHMARK_ROLES,
  MetricRow,
  Outcome,
  OUTCOMES,
  SpectrumRow,
  SubjectIdentity,
  SubjectKey,
} from './rows.ts'
import { Engine } from './events.ts'
import { ChangePointRow, GateResult } from './gate.ts'
import { Sweep } from './sweeps.ts'

/** A proportion with its 95 % interval (Wilson unless said otherwise). `undecided` replies are outside `n`. */
export const Rate = z.object({
  successes: z.int(),
  n: z.int(),
  estimate: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
})
export type Rate = z.infer<typeof Rate>

const JudgedKey = SubjectKey.extend({ benchmark: z.string(), judge: z.string() })

/** One model state on one benchmark by one judge. `rate` is the benchmark's (see BenchmarkRow); the counts are complete. */
export const Evaluation = JudgedKey.extend({
  judgeVersion: z.string(),
  counts: z.record(z.enum(OUTCOMES), z.int()),
  rate: Rate,
})
export type Evaluation = z.infer<typeof Evaluation>

export const CategoryRate = JudgedKey.extend({ category: z.string(), rate: Rate })
export type CategoryRate = z.infer<typeof CategoryRate>

/**
 * The same prompts before (base) and after. a both, b before only, c after only, d neither, counting the benchmark's rate.
 * `difference` = before − after = (b − c)/n with Newcombe's paired interval; `pValue` is the exact McNemar test's.
 */
export const Comparison = JudgedKey.extend({
  a: z.int(),
  b: z.int(),
  c: z.int(),
  d: z.int(),
  n: z.int(),
  difference: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
  pValue: z.number(),
  droppedUndecided: z.int(),
})
export type Comparison = z.infer<typeof Comparison>

/** A prompt whose outcome changed. Texts are null where the prompt should be refused. */
export const Flip = JudgedKey.extend({
  sampleId: z.string(),
  category: z.string(),
  prompt: z.string(),
  before: z.object({ outcome: Outcome, text: z.string().nullable() }),
  after: z.object({ outcome: Outcome, text: z.string().nullable() }),
})
export type Flip = z.infer<typeof Flip>

/** Spread between seeds of one arm at its last step. `sd` is the sample standard deviation, null for one seed. */
export const SeedSpread = z.object({
  arm: z.string(),
  benchmark: z.string(),
  judge: z.string(),
  seeds: z.array(z.int()),
  mean: z.number(),
  minimum: z.number(),
  maximum: z.number(),
  sd: z.number().nullable(),
})
export type SeedSpread = z.infer<typeof SeedSpread>

export const VerdictOutcome = z.enum(['PASS', 'FAIL', 'INCONCLUSIVE'])
export type VerdictOutcome = z.infer<typeof VerdictOutcome>

/** One claim: the worst seed of one arm on one benchmark against the margin (see `evals/audit/verdict.ts`). */
export const Finding = z.object({
  arm: z.string(),
  benchmark: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  outcome: VerdictOutcome,
  sentence: z.string(),
})
export type Finding = z.infer<typeof Finding>

/** Sums over the matrices of one model state. `slots` = Σ k over matrices. */
export const SpectrumTotal = SubjectKey.extend({
  matrices: z.int(),
  slots: z.int(),
  intruders: z.int(),
  meanEffectiveRankOfChange: z.number().nullable(),
  meanRelativeChange: z.number(),
})
export type SpectrumTotal = z.infer<typeof SpectrumTotal>

/** Spearman's ρ of intruders and a refusal rate over the states of one arm; the interval needs two seeds. */
export const SpectrumLink = z.object({
  arm: z.string(),
  benchmark: z.string(),
  judge: z.string(),
  states: z.int(),
  seeds: z.int(),
  rho: z.number().nullable(),
  lower: z.number().nullable(),
  upper: z.number().nullable(),
})
export type SpectrumLink = z.infer<typeof SpectrumLink>

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
  verdict: z.object({
    outcome: VerdictOutcome,
    judge: z.string(),
    margin: z.number(),
    headline: z.string(),
    findings: z.array(Finding),
    notes: z.array(z.string()),
  }),
  /** Where the run was held against a gate; it then goes before `verdict`. */
  gate: GateResult.nullable(),
  /** Where along each training a rate changed. */
  changePoints: z.array(ChangePointRow),
  subjects: z.array(SubjectIdentity),
  benchmarks: z.array(BenchmarkRow),
  evaluations: z.array(Evaluation),
  categories: z.array(CategoryRate),
  comparisons: z.array(Comparison),
  seeds: z.array(SeedSpread),
  /** Mean loss on neutral text (nats per token) and training curves. */
  metrics: z.array(MetricRow),
  /** Capability retention = accuracy after / accuracy before, with a bootstrap interval over prompts. */
  retention: z.array(
    SubjectKey.extend({
      benchmark: z.string(),
      judge: z.string(),
      estimate: z.number().nullable(),
      lower: z.number().nullable(),
      upper: z.number().nullable(),
    }),
  ),
  flips: z.array(Flip),
  /** Every pair of judges of one evaluation. */
  agreement: z.array(JudgeAgreement),
  /** Replies that judges call differently; the first thousand. */
  disagreements: z.array(Disagreement),
  spectra: z.array(SpectrumRow),
  spectrumTotals: z.array(SpectrumTotal),
  /** Where spectra were taken at several steps. */
  spectrumLinks: z.array(SpectrumLink),
  limits: z.array(z.string()),
  artifacts: z.array(ArtifactRow),
  /** Of a sweep only. */
  sweep: Sweep.nullable(),
})
export type Results = z.infer<typeof Results>
