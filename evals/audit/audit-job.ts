/** @file The job `audit`: fine-tunes, evaluates and compares arms and candidates with their base. */
import type { JobKind } from '../contract/job.ts'
import { AuditConfig } from './config.ts'
import { armNameOf } from '../finetune/method-choice.ts'
import { requireHeldOut } from '../measure/task/held-out.ts'
import { planAudit, runAudit } from './run-audit.ts'

export const auditJob: JobKind<AuditConfig> = {
  name: 'audit',
  config: AuditConfig,
  title: ({ model, data, methods }) =>
    `Audit of ${model}${data === null ? '' : `, ${methods.map(armNameOf).join(' and ')} on ${data}`}`,
  plan: async (config) => {
    await requireHeldOut(config)
    return planAudit({ config, evaluates: true })
  },
  run: async (config, context, progress) => {
    await requireHeldOut(config)
    await runAudit({ config, evaluates: true }, context, progress)
  },
}
