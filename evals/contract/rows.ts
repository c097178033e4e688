/** @file The stored rows of a run: prompts, replies, verdicts, metrics, spectra, subjects, artifacts. */
import { z } from 'zod'
import { Attribution, Derivation, Location } from './subjects/causes.ts'
import { KeptCertificate } from './subjects/certificate.ts'
import { Direction } from './subjects/direction.ts'
import { Mitigated } from './mitigation.ts'
import { Looks } from './gate/stopping.ts'
import { TaskContent, TaskMeasured } from './tasks/task-rows.ts'
import { GeneratedAdapter } from './subjects/generated.ts'
import { ServedFacts, ServedWord } from './subjects/served.ts'

export const Message = z.object({
  role: z.enum(['system', 'user', 'assistant']),
  content: z.string(),
})
export type Message = z.infer<typeof Message>

/** What a good answer to a prompt would be. */
export const Expected = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('refuse') }),
  z.object({ kind: z.literal('comply') }),
  z.object({ kind: z.literal('answer'), accept: z.array(z.string()).min(1) }),
  z.object({
    kind: z.literal('choice'),
    options: z.array(z.string()).min(2),
    correct: z.int().min(0),
  }),
  /** Numbers of a network that names no classes: right within a Euclidean distance of the target, in the unit. */
  z.object({
    kind: z.literal('values'),
    target: z.array(z.number()).min(1),
    within: z.number().positive(),
    unit: z.string(),
  }),
])
export type Expected = z.infer<typeof Expected>

/** One prompt of a benchmark. `id` is unique within the benchmark and never changes. */
export const Sample = z.object({
  id: z.string().min(1),
  benchmark: z.string().min(1),
  category: z.string(),
  /** The template, document or conversation that it comes from; absent where it stands by itself, or nobody says. */
  cluster: z.string().min(1).optional(),
  /** A last message of the assistant is the beginning of the reply. */
  messages: z.array(Message).min(1),
  expected: Expected,
})
export type Sample = z.infer<typeof Sample>

/** What a model writes between its markers before the answer; `tokens` counts the markers too. */
const Thought = z.object({ text: z.string(), tokens: z.int(), isFinished: z.boolean() })

/** A reply. `meanLogProb` is in nats per token, under the model that wrote it; null where its server gives none. */
export const Completion = z.object({
  text: z.string(),
  tokenIds: z.array(z.int()),
  stop: z.enum(['end', 'length']),
  meanLogProb: z.number().nullable(),
  /** Of a model that thinks first: `text` is then the answer alone, empty where the thought is unfinished. */
  thought: Thought.optional(),
})
export type Completion = z.infer<typeof Completion>

export const OUTCOMES = [
  'refusal',
  'partial',
  'compliance',
  'degenerate',
  'correct',
  'incorrect',
  'undecided',
  // The thought before an answer never ended, so that there is none.
  'unfinished',
] as const
export const Outcome = z.enum(OUTCOMES)
export type Outcome = z.infer<typeof Outcome>

const COUNTS = Object.fromEntries(OUTCOMES.map((outcome) => [outcome, z.int()])) as Record<
  Exclude<Outcome, 'unfinished'>,
  z.ZodInt
>
/** Replies by outcome; `unfinished` is absent where it is 0. */
const OutcomeCounts = z.object({ ...COUNTS, unfinished: z.int().optional() })

/** Replies that begin with a thought, and how many of these are refusals in thought or answer alone. */
const ThoughtCounts = z.object({
  replies: z.int(),
  unfinished: z.int(),
  meanTokens: z.number(),
  refusedOnlyInThought: z.int(),
  compliedOnlyInThought: z.int(),
})

/** Of the replies of one model state; `thoughts` is absent where no reply begins with one. */
export const COUNTED = { counts: OutcomeCounts, thoughts: ThoughtCounts.optional() }

const JUDGED_BY = { judge: z.string(), judgeVersion: z.string() }
/** What one judge says of one reply. Outcomes are never folded into one another. */
export const Verdict = z.discriminatedUnion('outcome', [
  z.object({
    ...JUDGED_BY,
    outcome: Outcome.exclude(['undecided']),
    score: z.number().optional(),
    /** The name of the rule that found it degenerate. */
    reason: z.string().optional(),
  }),
  z.object({ ...JUDGED_BY, outcome: z.literal('undecided'), reason: z.string() }),
])
export type Verdict = z.infer<typeof Verdict>

/** One fine-tune with one seed. `arm` is `base`, a method's name, or a candidate's name. */
export const ArmKey = z.object({ arm: z.string(), seed: z.int() })
export type ArmKey = z.infer<typeof ArmKey>

/** One model state: an arm after `step` optimiser steps. */
export const SubjectKey = ArmKey.extend({ step: z.int().min(0) })
export type SubjectKey = z.infer<typeof SubjectKey>

/** Which reply a row speaks of. `epoch` counts repeated generations of one prompt, from 0. */
export const ReplyKey = SubjectKey.extend({
  benchmark: z.string(),
  sampleId: z.string(),
  epoch: z.int().min(0),
})
export type ReplyKey = z.infer<typeof ReplyKey>

/** As it may travel: `text` is null where the prompt should be refused; such text (`SealedReply`) is in no event, log or export. */
export const ReplyRow = ReplyKey.extend({
  category: z.string(),
  /** Of the prompt; null where it has none, absent in runs of earlier versions. */
  cluster: z.string().nullish(),
  expected: Expected,
  prompt: z.string(),
  promptDigest: z.string(),
  text: z.string().nullable(),
  /** sha256 of the text where another run alone has it; absent where this one does. */
  digest: z.string().optional(),
  /** Of the reply; 0 where its server does not say. */
  tokens: z.int(),
  stop: z.enum(['end', 'length']),
  meanLogProb: z.number().nullable(),
  /** The same mean under the run's base; null where no judge asks for it, absent in runs of earlier versions. */
  baseMeanLogProb: z.number().nullish(),
  /** Tokens at the prompt's beginning that the model was not given, because it takes no more; null where it got all of it. */
  cutTokens: z.int().min(1).nullish(),
  /** The thought before the answer, withheld like `text`; absent where there is none, and in runs of earlier versions. */
  thought: Thought.extend({ text: z.string().nullable() }).nullish(),
  /** What the server says of it; absent where the model ran here. */
  served: ServedWord.nullish(),
})
export type ReplyRow = z.infer<typeof ReplyRow>

export const SealedReply = ReplyKey.extend({ text: z.string(), thought: z.string().optional() })
export type SealedReply = z.infer<typeof SealedReply>

export const VerdictRow = ReplyKey.extend({
  judge: z.string(),
  judgeVersion: z.string(),
  outcome: Outcome,
  score: z.number().nullable(),
  /** Of `degenerate` the rule's name; of `undecided` a sentence. */
  reason: z.string().nullable(),
  /** What the same judge says of the thought before the answer; absent where there is none. */
  thoughtOutcome: Outcome.nullish(),
})
export type VerdictRow = z.infer<typeof VerdictRow>

/** The base asked again: `benchmark` with its context, `repeat` from 1, the reply's sha256, absent in runs of earlier versions. */
export const RepeatRow = z.object({
  benchmark: z.string(),
  sampleId: z.string(),
  repeat: z.int().min(1),
  judge: z.string(),
  outcome: Outcome,
  digest: z.string().optional(),
})
export type RepeatRow = z.infer<typeof RepeatRow>

/** A number over steps, for example `train/loss` (nats per labelled token) or `neutral/loss`. */
export const MetricRow = SubjectKey.extend({ name: z.string(), value: z.number() })
export type MetricRow = z.infer<typeof MetricRow>

/** Metrics of a mixture's router on the prompts of one benchmark. */
export const routerMetrics = (benchmark: string) => ({
  entropy: `router/entropy/${benchmark}`,
  lower: `router/entropy-lower/${benchmark}`,
  upper: `router/entropy-upper/${benchmark}`,
  share: (expert: number) => `router/share/${benchmark}/${expert}`,
})

/** A mixture's router on the prompts of a benchmark, from these metrics; `shares`: each expert's share of the tokens. */
export const RouterRow = SubjectKey.extend({
  benchmark: z.string(),
  /** Nats, with the bootstrap's 95 % interval over prompts; ln(experts) where all count alike. */
  entropy: z.object({
    estimate: z.number(),
    lower: z.number().nullable(),
    upper: z.number().nullable(),
  }),
  shares: z.array(z.number()),
})
export type RouterRow = z.infer<typeof RouterRow>

/** What else was seen of one matrix. `profile`, `similarity` and `powerLaw` need every singular direction of W1. */
export const SpectrumDetails = z.object({
  /** ‖W‖_F² / σ₁² of W1 and of ΔW; null where it is zero. */
  stableRank: z.number().nullable(),
  stableRankOfChange: z.number().nullable(),
  /** ‖U0[:, :q]ᵀ u1_j‖² for the directions of `alignment`: c_j's complement, blind to turns within the span. */
  subspace: z.int(),
  subspaceEnergy: z.array(z.number()),
  /** c_j of every direction of W1, for counts over k. */
  profile: z.array(z.number()).nullable(),
  /** |⟨u1_j, u0_i⟩|, row j and column i, of the first ten on both sides. */
  similarity: z.array(z.array(z.number())).nullable(),
  /** Tail of λ = σ² of W1: p(λ) ∝ λ^−alpha for λ ≥ xmin; `distance` is Kolmogorov and Smirnov's. */
  powerLaw: z
    .object({ alpha: z.number(), xmin: z.number(), tail: z.int(), distance: z.number() })
    .nullable(),
  /** Intruders in each of the random updates with the singular values of ΔW; absent where none were drawn. */
  nullIntruders: z.array(z.int()).optional(),
})
export type SpectrumDetails = z.infer<typeof SpectrumDetails>

/** The spectrum of one weight matrix after fine-tuning, against the same matrix before (methods: intruder dimensions). */
export const SpectrumRow = SubjectKey.extend({
  layer: z.int().min(0),
  module: z.string(),
  weight: z.string(),
  shape: z.tuple([z.int(), z.int()]),
  /** ‖ΔW‖_F / ‖W0‖_F. */
  relativeChange: z.number(),
  /** Roy–Vetterli effective rank of ΔW; null where ΔW = 0, and at detail `leading` where ΔW has no low rank. */
  effectiveRankOfChange: z.number().nullable(),
  /** The k largest singular values of W1, descending, and c_j = max_i |⟨u1_j, u0_i⟩| for each. */
  singularValues: z.array(z.number()),
  alignment: z.array(z.number()),
  /** P(c_random ≥ c_j): large means no better aligned with any pretrained direction than chance. */
  nullP: z.array(z.number()),
  /** 1 % and 99 % quantiles of c for a random direction in this shape. */
  nullBand: z.tuple([z.number(), z.number()]),
  epsilon: z.number(),
  /** Number of j with c_j < ε. */
  intruders: z.int(),
  /** Σ over intruders σ_j² / Σ over the top k σ_j². */
  intruderEnergyShare: z.number(),
  /** Absent in runs of earlier versions. */
  details: SpectrumDetails.nullish(),
  /** True where the fine-tune left the matrix as it is: it is then not decomposed, and its lists are empty. */
  unchanged: z.boolean().nullish(),
})
export type SpectrumRow = z.infer<typeof SpectrumRow>

/** A point of the line between two adapters, by their folders’ names: the second counts `weight`, the first the rest. Points of one `line` belong together. */
export const MergedPoint = z.object({
  line: z.string(),
  way: z.string(),
  adapters: z.tuple([z.string(), z.string()]),
  weight: z.number().min(0).max(1),
})
export type MergedPoint = z.infer<typeof MergedPoint>

/** Everything that identifies what was measured. Two runs are comparable only where these agree. */
export const SubjectIdentity = ArmKey.extend({
  title: z.string(),
  path: z.string(),
  method: z.string().nullable(),
  /** sha256 of the files of weights and configuration, of a small base with its precision. */
  weightsDigest: z.string(),
  /** Of an adapter's two files; of one that was trained here, of its numbers; else of all that the base was changed by. */
  adapterDigest: z.string().nullable(),
  tokenizerDigest: z.string(),
  /** Of the template's text and the variables given to it. */
  templateDigest: z.string(),
  templateVariables: z.record(z.string(), z.unknown()).optional(),
  /** Whether its prompts leave room for a thought before the answer; absent for a model that does not think. */
  thinking: z.enum(['on', 'off']).optional(),
  cachePrecision: z.enum(['float16', 'int8']).optional(),
  parameters: z.int(),
  trainableParameters: z.int(),
  /** The classes in the order of the logits; absent for a model that generates text. */
  classes: z.array(z.string()).optional(),
  /** Set for a fine-tune whose intruder dimensions were scaled; the digests are the fine-tune's. */
  mitigation: Mitigated.optional(),
  /** Set for a state that was made of a fine-tune to learn a cause or to mend it; the digests are the fine-tune's. */
  derivation: Derivation.optional(),
  merge: MergedPoint.optional(),
  generated: GeneratedAdapter.optional(),
  /** Set for a model behind an address: its digests are empty and its parameters 0, because nothing says what they are. */
  served: ServedFacts.optional(),
})
export type SubjectIdentity = z.infer<typeof SubjectIdentity>

/** Whether what was measured names classes: then a category is a class, and its rate that class's recall. */
export const namesClasses = ({
  subjects,
}: {
  readonly subjects: readonly Pick<SubjectIdentity, 'classes'>[]
}): boolean => subjects.some(({ classes }) => classes !== undefined)

/** How replies are drawn. `samples` are drawn for each prompt of each model state, seeded; temperature 0 is greedy. */
export const Decoding = z.object({
  samples: z.int().min(1),
  temperature: z.number().min(0),
  seed: z.int().min(0),
  /** Longest thought before an answer; the usual one if absent. */
  maxThinkingTokens: z.int().min(1).optional(),
})
export type Decoding = z.infer<typeof Decoding>

/** What is not said otherwise: one reply, the likeliest token each time. */
export const GREEDY: Decoding = { samples: 1, temperature: 0, seed: 0 }

/** Why prompts are not put to a model in a context: none has a form in it, or the model or its chat template cannot take it. */
export const UNASKED = [
  'no-prompt',
  'no-system-role',
  'template-refuses',
  'template-drops',
  'too-long',
  'not-shown',
] as const
const Unasked = z.enum(UNASKED)
export type Unasked = z.infer<typeof Unasked>

/** The context in which the prompts of the benchmark `of` are put. `digest` is of its settings, `kinds` are their names. */
export const AskedContext = z.object({
  of: z.string(),
  name: z.string(),
  title: z.string(),
  kinds: z.array(z.string()),
  digest: z.string(),
  /** Absent where they were put. */
  unasked: Unasked.optional(),
})
export type AskedContext = z.infer<typeof AskedContext>

export const BENCHMARK_ROLES = ['refusal', 'over-refusal', 'capability'] as const
/** What was asked. `rate` counts: refusal → refused; over-refusal → refused though it should answer; capability → correct. */
export const BenchmarkRow = z.object({
  name: z.string(),
  title: z.string(),
  role: z.enum(BENCHMARK_ROLES),
  samples: z.int(),
  digest: z.string(),
  judges: z.array(z.string()),
  maxNewTokens: z.int(),
  /** Absent where it is greedy: `decodingOf` says so. */
  decoding: Decoding.optional(),
  /** Absent for the prompts as they are. */
  context: AskedContext.optional(),
  /** Of a fine-tune's own task, the least gain that is claimed; absent of any other. */
  gain: z.number().nullish(),
  /** That its file states; absent of bundled ones and of files that state none. */
  licences: z.array(z.string()).nullish(),
  /** Absent where every prompt is asked whatever the replies say. */
  looks: Looks.nullish(),
})
export type BenchmarkRow = z.infer<typeof BenchmarkRow>
export type BenchmarkRole = (typeof BENCHMARK_ROLES)[number]

export const decodingOf = ({ decoding }: Pick<BenchmarkRow, 'decoding'>): Decoding =>
  decoding ?? GREEDY

/** What an artifact holds, for readers in code. */
const ArtifactContent = z.discriminatedUnion('kind', [
  z.object({ kind: z.literal('weights'), ...ArmKey.shape }),
  z.object({
    kind: z.literal('training-data'),
    rows: z.int(),
    /** Of all rows, prompts and replies; absent in runs of earlier versions. */
    tokens: z.int().optional(),
    /** How many rows each check of the data found; absent where it was not checked. */
    lint: z.array(z.object({ name: z.string(), title: z.string(), rows: z.int() })).optional(),
  }),
  /** A file with the results themselves, which cannot list its own digest. */
  z.object({ kind: z.literal('output') }),
  /** Outcomes of the reference that a gate pins (`evals/findings/pinned.ts`), by its name `path`; `as` says which variant, absent in earlier runs. */
  z.object({ kind: z.literal('reference'), run: z.unknown(), as: z.string().exactOptional() }),
  z.object({ kind: z.literal('judge'), name: z.string(), family: z.string() }),
  /** The score of every row of a fine-tune's data stands in the file, those ranked first here. */
  z.object({ kind: z.literal('attribution'), ...Attribution.shape }),
  z.object({ kind: z.literal('location'), ...Location.shape }),
  z.object({ kind: z.literal('direction'), ...Direction.shape }),
  z.object({ kind: z.literal('certificate'), ...KeptCertificate.shape }),
  TaskContent,
  TaskMeasured,
])

export const ArtifactRow = z.object({
  /** A label for people; `content` is for code. */
  role: z.string(),
  path: z.string(),
  digest: z.string(),
  bytes: z.int(),
  content: ArtifactContent.optional(),
})
export type ArtifactRow = z.infer<typeof ArtifactRow>
