/** @file Where the parts of a job that stand alone are run. */
import { z } from 'zod'
import { SCHEDULER_NAMES } from '../runtime/schedulers/registry.ts'

export const PlacementConfig = z.object({
  on: z.enum(SCHEDULER_NAMES).default('local').meta({
    label: 'Run on',
    help: 'Where fine-tunes or cells are run: this machine, or job arrays of Slurm over a folder that its nodes share',
  }),
  partition: z.string().min(1).nullable().default(null).meta({
    label: 'Partition',
    help: 'The partition of Slurm',
    value: 'NAME',
  }),
  schedulerOptions: z
    .array(z.string().regex(/^[a-z][\w-]*(?:=.*)?$/u))
    .default([])
    .meta({
      label: 'Scheduler options',
      help: 'Further words for sbatch, without dashes: mem=4G, account=lab, time=60',
      flag: 'scheduler-option',
      repeat: true,
      value: 'NAME=VALUE',
    }),
})
