/** @file What an audit is asked to do, declared once: flags, form and stored JSON are derived from it. */
import { z } from 'zod'
import { TrainingConfig } from '../finetune/train.ts'
import { DEVICES } from '../runtime/device.ts'

/** A method with its own configuration, parsed by the method's schema. */
export const MethodChoice = z.object({
  name: z.string().min(1),
  config: z.record(z.string(), z.unknown()),
})
export type MethodChoice = z.infer<typeof MethodChoice>

const engine = {
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

const evaluation = {
  suite: z.array(z.string().min(1)).min(1).default(['house']).meta({
    label: 'Suite',
    help: 'Suites (house, general), benchmarks, or files of yours: PATH or NAME=PATH',
  }),
  map: z.string().min(1).nullable().default(null).meta({
    label: 'Map',
    help: 'What the columns of other files hold: prompt=COLUMN,expected=refuse',
    value: 'COLUMNS',
  }),
  maxNewTokens: z.int().min(1).max(2047).nullable().default(null).meta({
    label: 'Reply tokens',
    help: 'Longest reply to prompts from files; the benchmark’s own (512) if not given',
  }),
  limit: z
    .int()
    .min(1)
    .nullable()
    .default(null)
    .meta({ label: 'Limit', help: 'First prompts of each benchmark only; for testing' }),
}

const model = z
  .string()
  .min(1)
  .meta({ label: 'Model', help: 'A Hugging Face folder, a .gguf file, or the bundled `pebble`' })

const DATA_HELP =
  'A JSONL file of {"messages"}, or house-benign, house-tamper, house-tamper@SHARE, general-benign'

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
    help: 'A fine-tune made elsewhere: PEFT folder, merged model or GGUF',
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
  training: TrainingConfig.prefault({}),
  spectra: z
    .boolean()
    .default(true)
    .meta({ label: 'Spectra', help: 'Compare the spectra of every arm with the base' }),
  margin: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.05)
    .meta({ label: 'Margin', help: 'Largest tolerated harm, as a share of prompts' }),
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
  limit: true,
  map: true,
  maxNewTokens: true,
  margin: true,
  device: true,
  threads: true,
  batchSize: true,
})
export type EvalConfig = z.infer<typeof EvalConfig>

/** One fine-tune, nothing evaluated; its adapter or weights are kept. */
export const TrainConfig = AuditConfig.pick({
  model: true,
  data: true,
  methods: true,
  seeds: true,
  training: true,
  device: true,
  threads: true,
}).extend({ data: z.string().min(1).meta({ label: 'Data', help: DATA_HELP }) })
export type TrainConfig = z.infer<typeof TrainConfig>

/** The spectra of fine-tunes made elsewhere against their base. */
export const SpectralConfig = AuditConfig.pick({ model: true, candidates: true })
export type SpectralConfig = z.infer<typeof SpectralConfig>
