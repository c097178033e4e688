/** @file The job `audit`: fine-tunes, evaluates and compares arms and candidates with their base. */
import type { JobKind } from '../contract/job.ts'
import { AuditConfig } from './config.ts'
import { armNameOf } from '../finetune/method-choice.ts'
import { planAudit, runAudit } from './run-audit.ts'

export const auditJob: JobKind<AuditConfig> = {
  name: 'audit',
  config: AuditConfig,
  title: ({ model, data, methods }) =>
    `Audit of ${model}${data === null ? '' : `, ${methods.map(armNameOf).join(' and ')} on ${data}`}`,
  plan: (config) => planAudit({ config, evaluates: true }),
  run: (config, context, progress) => runAudit({ config, evaluates: true }, context, progress),
}
