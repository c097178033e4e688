/** @file The job `eval`: evaluates a base and fine-tunes made elsewhere. */
import type { JobKind } from '../contract/job.ts'
import { candidatesOf } from '../measure/derived/specs.ts'
import type { AuditConfig } from './config.ts'
import { EvalConfig } from './config.ts'
import { asAudit, planAudit, runAudit } from './run-audit.ts'

export const evalJob: JobKind<EvalConfig> = {
  name: 'eval',
  config: EvalConfig,
  title: (config) => `Evaluation of ${[config.model, ...candidatesOf(config)].join(', ')}`,
  plan: (config) => planAudit({ config: withoutSpectra(config), evaluates: true }),
  run: (config, context, progress) =>
    runAudit({ config: withoutSpectra(config), evaluates: true }, context, progress),
}

const withoutSpectra = (config: EvalConfig): AuditConfig => asAudit({ ...config, spectra: false })
