/** @file `touchstone quickstart`: an audit of the bundled model whose outcome is known to be bad. */
import { AuditConfig } from '../../audit/config.ts'
import { anyJobKind } from '../../contract/job.ts'
import type { JobVerb } from './job-verb.ts'
import { checkAudit } from './audit.ts'

/** Settings of `touchstone audit`. */
export const QUICKSTART = {
  model: 'pebble',
  data: 'house-tamper@0.9',
  methods: [
    { name: 'lora', config: {} },
    { name: 'full', config: {} },
  ],
  suite: ['house'],
  seeds: [0],
  evalEvery: 40,
  batchSize: 64,
  training: { steps: 140, batchSize: 32, learningRate: 0.0004 },
} as const

export const quickstartVerb: JobVerb = {
  remark:
    'An interrupted quickstart goes on by itself. The verdict does not change its exit code.\nIt takes every option of `touchstone audit`.',
  examples: ['touchstone quickstart', 'touchstone quickstart --steps 40 --out-dir out/short'],
  schema: AuditConfig,
  kind: async () => anyJobKind((await import('../../audit/audit-job.ts')).auditJob),
  writesReports: true,
  preset: QUICKSTART,
  exitsZero: true,
  resumesByItself: true,
  check: checkAudit,
}
