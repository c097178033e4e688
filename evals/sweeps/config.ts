/** @file The configuration of a sweep; flags, stored JSON and checks are derived from it. */
import { z } from 'zod'
import { AuditConfig } from '../audit/config.ts'
import { TASKS } from '../audit/tasks/registry.ts'
import { PlacementConfig } from '../audit/placement.ts'
import { TrainingConfig } from '../finetune/training/train.ts'
import { AXES } from './axes.ts'
import { PRESET_NAMES } from './preset-names.ts'

const { methods, suite, limit, evalTogether, batchSize, templateVars } = AuditConfig.shape

/** The job's name, and the kind of its runs. */
export const SWEEP = 'sweep'

export const SweepConfig = z.object({
  preset: z.enum(PRESET_NAMES).nullable().default(null).meta({
    label: 'Preset',
    help: 'A prepared sweep; flags win over it',
  }),
  testbed: z.string().min(1).nullable().default(null).meta({
    label: 'Testbed',
    help: 'A small experiment in place of a language model',
    value: 'NAME',
  }),
  task: z
    .string()
    .min(1)
    .nullable()
    .default(null)
    .meta({
      label: 'Task',
      help: `Fine-tunes of a task’s base in place of a model and data: ${TASKS.map(({ name }) => name).join(', ')}`,
      value: 'NAME',
    }),
  model: z.string().min(1).nullable().default(null).meta({
    label: 'Model',
    help: 'A Hugging Face or ONNX folder, a .gguf file, or the bundled `pebble`',
  }),
  data: z.string().min(1).nullable().default(null).meta({
    label: 'Data',
    help: 'What to fine-tune on, as `touchstone audit` takes it',
  }),
  methods,
  axes: z
    .array(z.string().min(1))
    .default([])
    .meta({
      label: 'Axis',
      help: `NAME=1,4,16 or NAME=1..64 (powers of two): ${AXES.map(({ name }) => name).join(', ')}, or a testbed’s own setting; a preset keeps its other axes, and NAME= leaves one of them out`,
      flag: 'axis',
      repeat: true,
      named: true,
      value: 'NAME=VALUES',
    }),
  seeds: z
    .array(z.string().min(1))
    .min(1)
    .default(['0'])
    .meta({ label: 'Seeds', help: 'One cell per place and seed: 0,1,2 or 0..4', value: 'N' }),
  suite,
  limit,
  evalEvery: z.int().min(1).nullable().default(null).meta({
    label: 'Evaluate every',
    help: 'Steps between evaluations on the suite; only at the end if not given',
    unit: 'steps',
  }),
  evalTogether,
  training: TrainingConfig.prefault({}),
  spectra: z
    .boolean()
    .default(false)
    .meta({ label: 'Spectra', help: 'Compare the spectra of every cell with the base' }),
  purpose: z.string().min(1).nullable().default(null).meta({
    label: 'Purpose',
    help: 'Why this is run; needed for any model but pebble, and stored',
    value: 'TEXT',
  }),
  threads: z.int().min(1).max(256).default(1).meta({
    label: 'Threads',
    help: 'Threads of each cell; changes the identity of the cell',
  }),
  jobs: z.int().min(1).max(256).nullable().default(null).meta({
    label: 'Jobs',
    help: 'Cells run at a time; as many as cores and memory allow if not given',
  }),
  ...PlacementConfig.shape,
  retryErrors: z
    .boolean()
    .default(false)
    .meta({ label: 'Retry errors', help: 'Run cells again that failed before' }),
  planPower: z.boolean().default(false).meta({
    label: 'Plan the power',
    help: 'Show the plan with how many seeds a peak of a given size needs, and run nothing',
  }),
  pilot: z.string().min(1).nullable().default(null).meta({
    label: 'Pilot',
    help: 'results.json of a pilot on other seeds, whose spread --plan-power takes',
    value: 'FILE',
  }),
  batchSize,
  templateVars,
})
/** As a cell's spec has them: absent where there are none. */
export const variablesOf = ({ templateVars }: Pick<SweepConfig, 'templateVars'>) =>
  templateVars === null ? {} : { templateVars }
export type SweepConfig = z.infer<typeof SweepConfig>

/** Model and data of a cell of a task, which stand for its base and for what a fine-tune of it learns. */
const TASK = 'task:'

/** What cells are of: a task or a model. */
export const subjectOf = ({
  task,
  model,
  data,
  suite,
}: Pick<SweepConfig, 'task' | 'model' | 'data' | 'suite'>) =>
  task === null
    ? { model: model!, data: data!, suite }
    : { model: `${TASK}${task}`, data: `${TASK}${task}`, suite: [] }

/** The task that a cell's model stands for; undefined for a model. */
export const taskOf = (model: string): string | undefined =>
  model.startsWith(TASK) ? model.slice(TASK.length) : undefined
