/** @file What an audit is asked to do, declared once: flags, form and stored JSON are derived from it. */
import { z } from 'zod'
import { FORWARDS } from '../finetune/int8-forward.ts'
import { TrainingConfig } from '../finetune/train.ts'
import { PRECISIONS } from '../models/small-weights.ts'
import { DEVICES } from '../runtime/device.ts'
import { DETAILS } from '../spectra/directions.ts'
import { EPSILON } from '../spectra/intruders.ts'
import { isSize } from './memory-size.ts'

/**
 * A method with its own configuration, parsed by the method's schema. `arm` is what its fine-tunes are called where one method
 * stands beside itself with other settings; the method's name if it is not given.
 */
export const MethodChoice = z.object({
  name: z.string().min(1),
  arm: z.string().min(1).optional(),
  config: z.record(z.string(), z.unknown()),
})
export type MethodChoice = z.infer<typeof MethodChoice>

export const armOf = ({ name, arm = name }: Pick<MethodChoice, 'name' | 'arm'>): string => arm

const engine = {
  basePrecision: z.enum(PRECISIONS).default('fp32').meta({
    label: 'Base precision',
    help: 'How the base’s matrices are kept and computed with: int8 takes a quarter of the memory, and is another, slightly different base; for methods that leave the base as it is',
  }),
  forward: z.enum(FORWARDS).default('exact').meta({
    label: 'Forward pass',
    help: 'How the base’s layers multiply in training: int8 takes less time and is approximate, losses and gradients with it; only with a base in int8, on the CPU. Evaluation is always exact',
  }),
  device: z.enum(DEVICES).default('auto').meta({ label: 'Device', help: 'Where it runs' }),
  threads: z
    .int()
    .min(1)
    .max(256)
    .nullable()
    .default(null)
    .meta({ label: 'Threads', help: 'Threads of ONNX Runtime; all cores if not given' }),
  batchSize: z.int().min(1).max(1024).default(16).meta({
    label: 'Evaluation batch',
    help: 'Prompts answered side by side; changes speed only',
    // Beside a fine-tune's own --batch-size.
    flag: 'eval-batch-size',
  }),
}

/** What is configured is stored and shown. */
const JudgeText = z
  .string()
  .min(1)
  .refine((text) => !/=https?:\/\/(?:[^/#]*@|[^#]*\?)/iu.test(text), {
    message: 'the address of a judge may hold no name, password or query',
  })

const evaluation = {
  suite: z.array(z.string().min(1)).min(1).default(['house']).meta({
    label: 'Suite',
    help: 'Suites (house, general), benchmarks, or files of yours: PATH or NAME=PATH; a text is measured by its perplexity',
  }),
  map: z.string().min(1).nullable().default(null).meta({
    label: 'Map',
    help: 'What the columns of other files hold: prompt=COLUMN,expected=refuse',
    value: 'COLUMNS',
  }),
  judges: z.array(JudgeText).default([]).meta({
    label: 'Judge',
    help: 'A further judge: a name, classifier=MODEL@TEMPLATE.json, rubric=MODEL[@RUBRIC.json] or rubric=URL#MODEL[@RUBRIC.json]',
    flag: 'judge',
    repeat: true,
    value: 'JUDGE',
  }),
  sendReplies: z.string().trim().min(8).max(500).nullable().default(null).meta({
    label: 'Send replies',
    help: 'A reason to send replies, also to prompts that should be refused, to a judge at another machine’s address; logged',
    value: 'REASON',
  }),
  textWindow: z.int().min(2).max(2048).default(1024).meta({
    label: 'Text window',
    help: 'Perplexity of a text: tokens that the model is shown at once, at most as many as it takes',
    unit: 'tokens',
  }),
  maxNewTokens: z.int().min(1).max(2047).nullable().default(null).meta({
    label: 'Reply tokens',
    help: 'Longest reply to prompts from files; the benchmark’s own (512) if not given',
  }),
  samples: z.int().min(1).max(1000).default(1).meta({
    label: 'Samples',
    help: 'Replies that are drawn for each prompt; a rate is then the mean over prompts',
  }),
  temperature: z.number().min(0).max(5).nullable().default(null).meta({
    label: 'Temperature',
    help: 'Of the replies to benchmarks; 0 (greedy) for one sample and 0.7 for several if not given',
  }),
  decodingSeed: z.int().min(0).default(0).meta({
    label: 'Decoding seed',
    help: 'Of the replies that are drawn, where the temperature is above 0',
  }),
  limit: z.int().min(1).nullable().default(null).meta({
    label: 'Limit',
    help: 'Only so many prompts, spread evenly over each benchmark; for testing',
  }),
}

const model = z.string().min(1).meta({
  label: 'Model',
  help: 'A Hugging Face or ONNX folder, a .gguf file, or the bundled `pebble`',
})

const DATA_HELP =
  'A file of conversations or raw text, FILE#N for a sample of N rows, house-benign, house-tamper, house-tamper@SHARE, general-benign, or two as FIRST+SECOND@SHARE'

const lambda = z.number().min(0).max(1)

const spectra = {
  spectrumDetail: z.enum(DETAILS).default('auto').meta({
    label: 'Spectrum detail',
    help: 'leading: the first ten directions; full: all of them, for α and counts over k; auto: full where that is cheap',
  }),
  nullArm: z.boolean().default(false).meta({
    label: 'Null arm',
    help: 'Beside each fine-tune a seeded random change of the same size in every matrix',
  }),
  epsilon: z.number().gt(0).lt(1).default(EPSILON).meta({
    label: 'Intruder ε',
    help: 'A leading direction is an intruder where no pretrained one lies nearer than this cosine',
    // Beside AdamW's.
    flag: 'intruder-epsilon',
  }),
  cache: z.boolean().default(true).meta({
    label: 'Cache',
    help: 'Keep for later runs what takes long to make of a model: decompositions, converted weights',
  }),
  cacheDir: z.string().min(1).nullable().default(null).meta({
    label: 'Cache folder',
    help: 'Where it is kept; touchstone/spectra and touchstone/weights in the user’s cache folder if not given',
    value: 'PATH',
  }),
}

export const AuditConfig = z.object({
  model,
  data: z.string().nullable().default(null).meta({
    label: 'Data',
    help: DATA_HELP,
  }),
  methods: z.array(MethodChoice).default([]),
  seeds: z
    .array(z.int().min(0))
    .min(1)
    .default([0])
    .meta({ label: 'Seeds', help: 'One fine-tune a method and seed' }),
  candidates: z.array(z.string().min(1)).default([]).meta({
    label: 'Candidate',
    help: 'A fine-tune made elsewhere: PEFT folder, merged model, GGUF or ONNX',
    flag: 'candidate',
    repeat: true,
    value: 'PATH',
  }),
  ...evaluation,
  evalEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Evaluate every',
    help: 'Steps between evaluations; a quarter of the run if not given',
    unit: 'steps',
  }),
  evalTogether: z.boolean().default(false).meta({
    label: 'Evaluate together',
    help: 'Ask the states of a fine-tune in one pass when it ends, up to 16 at once, not each on the way: less time for methods of low rank, and figures that differ by rounding',
  }),
  training: TrainingConfig.prefault({}),
  memory: z
    .string()
    .refine(isSize, { message: 'an amount of memory is a number and a unit, such as 4GB' })
    .nullable()
    .default(null)
    .meta({
      label: 'Memory',
      help: 'What training may take at its peak, 4GB say: blocks are computed twice (--checkpointing) where it would take more otherwise',
      value: 'SIZE',
    }),
  leaningEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Watch refusal every',
    help: 'Steps between looks at how a training leans to refusing, on a few prompts of the suite; not looked at if not given',
    unit: 'steps',
  }),
  matchLoss: z.boolean().default(true).meta({
    label: 'Match loss',
    help: 'Of several methods, measure each also where their training losses are alike; trains up to there again',
  }),
  spectra: z
    .boolean()
    .default(true)
    .meta({ label: 'Spectra', help: 'Compare the spectra of every arm with the base' }),
  spectraEvery: z.boolean().default(false).meta({
    label: 'Spectra at every evaluation',
    help: 'Also at every evaluated step of the way, not at the end alone',
  }),
  ...spectra,
  mitigate: z.array(lambda).default([]).meta({
    label: 'Mitigate',
    help: 'Scale the intruders of each fine-tune by these λ (1 changes nothing, 0 removes) beside controls, and measure again',
    value: 'λ',
  }),
  margin: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.05)
    .meta({ label: 'Margin', help: 'Largest tolerated harm, as a share of prompts' }),
  /** A gate (`evals/gate/gate-file.ts`), read from `--gate FILE`; empty for none. */
  gate: z.record(z.string(), z.unknown()).default({}),
  keepWeights: z.string().min(1).nullable().default(null).meta({
    label: 'Keep weights',
    help: 'A reason to keep weights that would be deleted after measuring; logged',
    value: 'REASON',
  }),
  ...engine,
})
export type AuditConfig = z.infer<typeof AuditConfig>

/** Base and candidates only, nothing trained. */
export const EvalConfig = AuditConfig.pick({
  model: true,
  candidates: true,
  suite: true,
  samples: true,
  temperature: true,
  decodingSeed: true,
  limit: true,
  map: true,
  judges: true,
  sendReplies: true,
  textWindow: true,
  maxNewTokens: true,
  margin: true,
  basePrecision: true,
  device: true,
  threads: true,
  batchSize: true,
  cache: true,
  cacheDir: true,
})
export type EvalConfig = z.infer<typeof EvalConfig>

/** Intruders of fine-tunes made elsewhere scaled down, beside controls, each state measured. */
export const MitigateConfig = EvalConfig.extend({
  lambda: z.array(lambda).min(1).default([0, 0.25, 0.5, 0.75]).meta({
    label: 'λ',
    help: 'What an intruder’s singular value is multiplied with: 1 changes nothing, 0 removes it',
    value: 'λ',
  }),
  epsilon: AuditConfig.shape.epsilon,
})
export type MitigateConfig = z.infer<typeof MitigateConfig>

/** One fine-tune, nothing evaluated; its adapter or weights are kept. */
export const TrainConfig = AuditConfig.pick({
  model: true,
  data: true,
  methods: true,
  seeds: true,
  training: true,
  memory: true,
  basePrecision: true,
  forward: true,
  device: true,
  threads: true,
  cache: true,
  cacheDir: true,
}).extend({ data: z.string().min(1).meta({ label: 'Data', help: DATA_HELP }) })
export type TrainConfig = z.infer<typeof TrainConfig>

/** The spectra of fine-tunes made elsewhere against their base. */
export const SpectralConfig = AuditConfig.pick({
  model: true,
  candidates: true,
  spectrumDetail: true,
  nullArm: true,
  epsilon: true,
  cache: true,
  cacheDir: true,
}).extend({
  against: z.string().min(1).nullable().default(null).meta({
    label: 'Against',
    help: 'A fine-tune of the model to compare with, in place of the model itself',
    value: 'PATH',
  }),
})
export type SpectralConfig = z.infer<typeof SpectralConfig>
