/** @file The configuration of the job `task`: that of an audit, whose model and rows the task makes itself. */
import { z } from 'zod'
import { AuditConfig } from '../config.ts'
import { TASKS } from './registry.ts'

const { methods, seeds, evalEvery, matchLoss, spectra, margin, gate, keepWeights } =
  AuditConfig.shape

export const TaskConfig = z.object({
  task: z
    .string()
    .min(1)
    .meta({ label: 'Task', help: `What to adapt: ${TASKS.map(({ name }) => name).join(', ')}` }),
  base: z.string().min(1).nullable().default(null).meta({
    label: 'Base',
    help: 'Network of the base, as --list names them; the first if not given',
  }),
  file: z.string().min(1).nullable().default(null).meta({
    label: 'File',
    help: 'Rows of your own in place of the bundled ones, where the task reads some',
    value: 'PATH',
  }),
  methods,
  ranks: z.array(z.int().min(1).max(1024)).default([1, 4, 16]).meta({
    label: 'Ranks',
    help: 'Each method of low rank once for each, alpha at twice the rank',
  }),
  seeds,
  baseSeed: z.int().min(0).default(0).meta({
    label: 'Base seed',
    help: 'Of the base’s weights and of the rows',
  }),
  baseSteps: z.int().min(1).max(1_000_000).nullable().default(null).meta({
    label: 'Base steps',
    help: 'Optimiser steps of the base; the task’s own number if not given',
    unit: 'steps',
  }),
  limit: AuditConfig.shape.limit,
  evalEvery,
  training: AuditConfig.shape.training,
  matchLoss,
  spectra,
  spectrumDetail: AuditConfig.shape.spectrumDetail,
  nullDraws: AuditConfig.shape.nullDraws,
  epsilon: AuditConfig.shape.epsilon,
  margin,
  gate,
  keepWeights,
  device: AuditConfig.shape.device,
  threads: AuditConfig.shape.threads,
  list: z
    .boolean()
    .default(false)
    .meta({ label: 'List', help: 'Print every task and its bases, and run none' }),
})
export type TaskConfig = z.infer<typeof TaskConfig>
