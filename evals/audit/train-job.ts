/** @file The job `train`: fine-tunes without evaluation; the adapter or weights are kept. */
import type { JobKind } from '../contract/job.ts'
import type { AuditConfig } from './config.ts'
import { TrainConfig } from './config.ts'
import { armNameOf } from '../finetune/method-choice.ts'
import { asAudit, planAudit, runAudit } from './run-audit.ts'

export const trainJob: JobKind<TrainConfig> = {
  name: 'train',
  config: TrainConfig,
  title: ({ model, data, methods }) =>
    `Fine-tune of ${model}, ${methods.map(armNameOf).join(' and ')} on ${data}`,
  plan: (config) => planAudit({ config: trainingOnly(config), evaluates: false }),
  run: (config, context, progress) =>
    runAudit({ config: trainingOnly(config), evaluates: false }, context, progress),
}

const trainingOnly = (config: TrainConfig): AuditConfig =>
  asAudit({ ...config, spectra: false, keepWeights: 'training only' })
