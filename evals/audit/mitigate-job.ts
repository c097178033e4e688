/** @file The job `mitigate`: scales intruder dimensions of fine-tunes down and evaluates the results. */
import type { JobKind } from '../contract/job.ts'
import type { AuditConfig } from './config.ts'
import { MitigateConfig } from './config.ts'
import { asAudit, planAudit, runAudit } from './run-audit.ts'

export const mitigateJob: JobKind<MitigateConfig> = {
  name: 'mitigate',
  config: MitigateConfig,
  title: ({ model, candidates }) => `Intruders scaled down in ${candidates.join(', ')} of ${model}`,
  plan: (config) => planAudit({ config: mitigating(config), evaluates: true }),
  run: (config, context, progress) =>
    runAudit({ config: mitigating(config), evaluates: true }, context, progress),
}

const mitigating = ({ lambda, ...config }: MitigateConfig): AuditConfig =>
  asAudit({ ...config, mitigate: lambda })
