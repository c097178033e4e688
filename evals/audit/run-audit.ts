/** @file An audit, planned or run by the kind of its subjects. */
import type { JobContext, PlanLine, Progress } from '../contract/job.ts'
import { AuditConfig } from './config.ts'
import type { AuditWork } from './subjects/kind.ts'
import { subjectKindOf } from './subjects/registry.ts'

export const asAudit = (config: Partial<AuditConfig> & Pick<AuditConfig, 'model'>): AuditConfig =>
  AuditConfig.parse(config)

export const planAudit = async ({ config, evaluates }: AuditWork): Promise<PlanLine[]> =>
  subjectKindOf(config).plan(config, evaluates)

export const runAudit = async (
  work: AuditWork,
  context: JobContext,
  progress: Progress,
): Promise<void> => subjectKindOf(work.config).run(work, context, progress)
