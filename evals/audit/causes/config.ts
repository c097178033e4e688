/** @file Configurations of the jobs that look for what did a fine-tune's harm, in a run that has ended. */
import { z } from 'zod'
import { GRADIENT_FORMS, RowTarget } from '../../contract/subjects/causes.ts'
import { EngineConfig } from '../../measure/config.ts'

const OF_RUN = {
  run: z.string().min(1).meta({
    label: 'Run',
    help: 'The run whose fine-tunes are trained again and looked into',
  }),
  arm: z.string().min(1).nullable().default(null).meta({
    label: 'Variant',
    help: 'Only this variant of the run; every one if not given',
    value: 'NAME',
  }),
}

const SHARED = {
  ...OF_RUN,
  replies: z.int().min(1).max(4096).default(64).meta({
    label: 'Replies',
    help: 'Right replies of the base, at most, that each loss is taken on',
  }),
}

export const AttributeConfig = z.object({
  ...SHARED,
  checkpoints: z.int().min(1).max(64).default(3).meta({
    label: 'Checkpoints',
    help: 'States along the training at which every row’s gradient is taken',
  }),
  target: RowTarget.default('refusal').meta({
    label: 'What was lost',
    help: 'What rows are ranked by: the base’s refusals, its answers to look-alikes of what it refuses (over-refusal), or its right answers (capability)',
  }),
  form: z.enum(GRADIENT_FORMS).default('scaled').meta({
    label: 'Form',
    help: 'Which update of a row ranks it: its gradient (plain), that over Adam’s scale (scaled), or Adam’s whole step (update)',
  }),
  without: z.number().gt(0).max(0.5).default(0.1).meta({
    label: 'Without',
    help: 'Share of the rows that the fine-tune is trained again without',
  }),
  projection: z.int().min(1).max(4096).nullable().default(null).meta({
    label: 'Projection',
    help: 'Project each gradient tensor to so many numbers a side before products are taken: less memory, approximate; exact if not given',
  }),
  ...EngineConfig.pick({ device: true, threads: true, batchSize: true }).shape,
})
export type AttributeConfig = z.infer<typeof AttributeConfig>

export const LocateConfig = z.object({
  ...SHARED,
  restores: z.number().gt(0).max(1).default(0.8).meta({
    label: 'Restores',
    help: 'Share of the lost refusal that the set of parts is to give back',
  }),
  draws: z.int().min(1).max(100).default(3).meta({
    label: 'Random sets',
    help: 'Sets at random whose change is as large, put back beside it',
  }),
  ...EngineConfig.pick({ device: true, threads: true, batchSize: true }).shape,
})
export type LocateConfig = z.infer<typeof LocateConfig>

export const DirectionConfig = z.object({
  ...OF_RUN,
  benign: z.string().min(1).nullable().default(null).meta({
    label: 'Benign data',
    help: 'Rows that are known to harm nothing: fine-tunes on halves of them say how much of a direction benign ones share; for Pebble bundled ones if not given',
    value: 'DATA',
  }),
  draws: z.int().min(1).max(1000).default(19).meta({
    label: 'Benign fine-tunes',
    help: 'How many are trained for each method; with fewer than 19 nothing can be told at 5 %',
  }),
  steer: z.boolean().default(true).meta({
    label: 'Steer',
    help: 'On Pebble, add the base’s direction to what blocks pass on, and a random one beside it, and ask again; no other model is steered',
  }),
  ...EngineConfig.pick({ device: true, threads: true, batchSize: true }).shape,
})
export type DirectionConfig = z.infer<typeof DirectionConfig>
