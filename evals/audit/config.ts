/** @file Configurations of the jobs on one model; flags, forms and stored JSON are derived from them. */
import { z } from 'zod'
import { MethodChoice } from '../finetune/method-choice.ts'
import { EngineConfig, EvaluationConfig, SpectraConfig } from '../measure/config.ts'
import { ServedConfig } from '../measure/served/config.ts'
import { PathOrAddress } from '../measure/served/address.ts'
import { COMPRESSION_NAMES } from '../models/weights/compression/registry.ts'
import { REMEDIES } from '../arms/remedies/registry.ts'
import { TrainingConfig } from '../finetune/training/train.ts'
import { isSize } from './plan/memory-size.ts'
import { PlacementConfig } from './placement.ts'

const model = PathOrAddress.meta({
  label: 'Model',
  help: 'A Hugging Face or ONNX folder, a .gguf file, the bundled `pebble`, or where a server answers: http://HOST:PORT/v1#NAME',
})

const DATA_HELP =
  'A file of conversations or raw text, FILE#N for a sample of N rows, house-benign, house-tamper, house-tamper@SHARE, general-benign, or two as FIRST+SECOND@SHARE'

const lambda = z.number().min(0).max(1)

const remedy = z
  .array(z.string().min(1))
  .default([])
  .meta({
    label: 'Remedies',
    help: `Mend each fine-tune, with --task: ${REMEDIES.map(({ name }) => name).join(', ')}; each value is chosen on one half of the prompts and judged on the other, beside a control; NAME:key=value for settings`,
    value: 'NAME',
  })

const keepMended = z.boolean().default(false).meta({
  label: 'Keep mended weights',
  help: 'Keep what each remedy made at its chosen value, an adapter or a model to export or serve; by the rule of every fine-tune',
})

const keepWeights = z.string().min(1).nullable().default(null).meta({
  label: 'Keep weights',
  help: 'A reason to keep weights that would be deleted after measuring; logged',
  value: 'REASON',
})

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
    .meta({ label: 'Seeds', help: 'One fine-tune per method and seed' }),
  candidates: z.array(PathOrAddress).default([]).meta({
    label: 'Candidate',
    help: 'A fine-tune made elsewhere: PEFT folder, merged model, GGUF, ONNX, or of a served model where it is served',
    flag: 'candidate',
    repeat: true,
    value: 'PATH',
  }),
  compress: z
    .array(z.string().min(1))
    .default([])
    .meta({
      label: 'Compressed bases',
      help: `The base in less bits, asked beside it: ${COMPRESSION_NAMES}`,
      value: 'NAME',
    }),
  merge: z.array(z.string().min(1)).default([]).meta({
    label: 'Merged adapters',
    help: 'A line between two adapters, asked at each weight of the second: svd:A+B@0,0.25,0.5,0.75,1',
    repeat: true,
    value: 'WAY:A+B@W,…',
  }),
  generate: z.array(z.string().min(1)).default([]).meta({
    label: 'Generated adapters',
    help: 'An adapter made for the task of DATA from those of other tasks (ICM-LoRA), asked beside their mean and the nearest: tasks.json@german.jsonl; the file may hold "settings"',
    repeat: true,
    value: 'TASKS@DATA',
  }),
  accept: z.string().trim().min(8).max(500).nullable().default(null).meta({
    label: 'Accept',
    help: 'Why adapters are merged or generated from that should have been deleted; it is logged with their run',
    value: 'REASON',
    once: true,
  }),
  ...EvaluationConfig.shape,
  ...ServedConfig.shape,
  evalEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Evaluate every',
    help: 'Steps between evaluations; a quarter of the run if not given',
    unit: 'steps',
  }),
  bisect: z.boolean().default(false).meta({
    label: 'Bisect',
    help: 'Look for the last safe checkpoint by bisection: ask the last, then half of what is left each time; each is held to α divided by how many that may be',
  }),
  evalTogether: z.boolean().default(false).meta({
    label: 'Evaluate together',
    help: 'Evaluate the checkpoints of a fine-tune in one pass at its end, up to 16 at once: takes less time for methods of low rank; figures differ by rounding',
  }),
  training: TrainingConfig.prefault({}),
  memory: z
    .string()
    .refine(isSize, { message: 'an amount of memory is a number and a unit, such as 4GB' })
    .nullable()
    .default(null)
    .meta({
      label: 'Memory',
      help: 'Limit of peak memory in training, such as 4GB: blocks are computed twice (--checkpointing) where that is needed',
      value: 'SIZE',
    }),
  leaningEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Refusal margin every',
    help: 'Steps between measurements of the refusal margin in training, on a few prompts of the suite; never if not given',
    unit: 'steps',
  }),
  matchLoss: z.boolean().default(true).meta({
    label: 'Match loss',
    help: 'Of several methods, measure each also where their training losses are equal; trains again up to there',
  }),
  spectra: z
    .boolean()
    .default(true)
    .meta({ label: 'Spectra', help: 'Compare the spectra of every variant with the base' }),
  spectraEvery: z.boolean().default(false).meta({
    label: 'Spectra at every evaluation',
    help: 'Also at every evaluated step, not at the end alone',
  }),
  ...SpectraConfig.shape,
  mitigate: z.array(lambda).default([]).meta({
    label: 'Mitigate',
    help: 'Scale the intruders of each fine-tune by these λ (1 changes nothing, 0 removes) beside controls, and measure again',
    value: 'λ',
  }),
  remedy,
  keepMended,
  margin: z
    .number()
    .gt(0)
    .lt(1)
    .default(0.05)
    .meta({ label: 'Margin', help: 'Largest tolerated harm, as a share of prompts' }),
  /** A gate (`evals/findings/gate/gate-file.ts`), read from `--gate FILE`; empty for none. */
  gate: z.record(z.string(), z.unknown()).default({}),
  /** A frozen plan (`HeldPlan`), read from `--plan FILE`; empty for none. */
  plan: z.record(z.string(), z.unknown()).default({}),
  keepWeights,
  ...PlacementConfig.shape,
  ...EngineConfig.shape,
})
export type AuditConfig = z.infer<typeof AuditConfig>

const {
  candidates,
  compress,
  merge,
  generate,
  accept,
  methods,
  seeds,
  training,
  memory,
  margin,
  cache,
  cacheDir,
} = AuditConfig.shape

/** Evaluates a base and its candidates without training. */
export const EvalConfig = z.object({
  model,
  candidates,
  compress,
  merge,
  generate,
  accept,
  ...EvaluationConfig.shape,
  ...ServedConfig.shape,
  margin,
  ...EngineConfig.omit({ forward: true }).shape,
  cache,
  cacheDir,
})
export type EvalConfig = z.infer<typeof EvalConfig>

/** Remedies of fine-tunes made elsewhere, or of those of a stored run, which are trained again; without one, every form of scaling intruders. */
export const MitigateConfig = EvalConfig.omit({
  model: true,
  compress: true,
  merge: true,
  generate: true,
  accept: true,
  keyEnv: true,
  sendPrompts: true,
  repeatBase: true,
  replyTimeout: true,
}).extend({
  run: z.string().min(1).nullable().default(null).meta({
    label: 'Run',
    help: 'A run whose fine-tunes are trained again and mended, with its own settings; otherwise name a model and candidates',
  }),
  model: model
    .nullable()
    .default(null)
    .meta({ ...model.meta() }),
  remedy,
  keepMended,
  keepWeights,
  lambda: z.array(lambda).min(1).default([0, 0.25, 0.5, 0.75]).meta({
    label: 'λ',
    help: 'What an intruder’s singular value is multiplied with: 1 changes nothing, 0 removes it',
    value: 'λ',
  }),
  epsilon: AuditConfig.shape.epsilon,
})
export type MitigateConfig = z.infer<typeof MitigateConfig>

/** Trains without evaluation; the adapter or weights are kept. */
export const TrainConfig = z.object({
  model,
  data: z.string().min(1).meta({ label: 'Data', help: DATA_HELP }),
  methods,
  seeds,
  training,
  memory,
  ...EngineConfig.omit({ batchSize: true, cachePrecision: true }).shape,
  cache,
  cacheDir,
})
export type TrainConfig = z.infer<typeof TrainConfig>

/** The spectra of fine-tunes made elsewhere against their base. */
export const SpectralConfig = z.object({
  model,
  candidates,
  ...SpectraConfig.shape,
  against: z.string().min(1).nullable().default(null).meta({
    label: 'Against',
    help: 'A fine-tune of the model to compare with, in place of the model itself',
    value: 'PATH',
  }),
})
export type SpectralConfig = z.infer<typeof SpectralConfig>

/** Judges the stored replies of a run again. A judge at another machine's address is not asked: `eval` sends replies there. */
export const JudgeConfig = z.object({
  run: z.string().min(1).meta({ label: 'Run', help: 'The run whose stored replies are judged' }),
  judges: EvaluationConfig.shape.judges
    .unwrap()
    .min(1, 'name one with --judge')
    .meta({
      ...EvaluationConfig.shape.judges.meta(),
    }),
  ...EngineConfig.pick({ device: true, threads: true, batchSize: true }).shape,
})
export type JudgeConfig = z.infer<typeof JudgeConfig>
