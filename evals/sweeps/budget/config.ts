/** @file The configuration of a budget. */
import { z } from 'zod'
import { AuditConfig } from '../../audit/config.ts'
import { SweepConfig } from '../config.ts'

const { data, methods, axes, suite, limit, evalEvery, training, threads, templateVars } =
  SweepConfig.shape
const { purpose, jobs, retryErrors, batchSize } = SweepConfig.shape

/** The job's name, and the kind of its runs. */
export const BUDGET = 'budget'

export const BudgetConfig = z.object({
  model: z.string().min(1).default('pebble').meta({
    label: 'Model',
    help: 'Pebble, or a folder of another training of Pebble; any other model is followed over its steps alone',
  }),
  against: z.string().min(1).nullable().default(null).meta({
    label: 'Against',
    help: 'A second training of Pebble, whose budgets are compared with the first one’s',
    value: 'PATH',
  }),
  data,
  methods,
  along: z.string().min(1).default('steps=1..256').meta({
    label: 'Along',
    help: 'The budget, in ascending values: steps, samples, lr or rank, as --axis takes it',
    value: 'NAME=VALUES',
  }),
  refine: z.int().min(1).max(64).default(2).meta({
    label: 'Refine',
    help: 'Budgets tried between one value and the next, that included, evenly by ratio',
  }),
  axes,
  seeds: z
    .array(z.string().min(1))
    .min(1)
    .default(['0..7'])
    .meta({ label: 'Seeds', help: 'One line per seed; at least 6 for an interval', value: 'N' }),
  suite,
  limit,
  margin: AuditConfig.shape.margin,
  evalEvery: evalEvery.unwrap().unwrap().nullable().default(null).meta({
    label: 'Evaluate every',
    help: 'For other models than Pebble: steps between evaluations; an eighth if not given',
    unit: 'steps',
  }),
  training,
  purpose,
  threads,
  jobs,
  retryErrors,
  batchSize,
  templateVars,
})
export type BudgetConfig = z.infer<typeof BudgetConfig>
