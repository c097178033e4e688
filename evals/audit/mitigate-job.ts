/** @file The job `mitigate`: remedies of fine-tunes made elsewhere, or of those of a run; without one, intruders scaled at each λ. */
import { remedyAll } from '../arms/remedies/run-remedies.ts'
import { evaluationSteps } from '../contract/gate/steps.ts'
import type { JobContext, JobKind, Progress } from '../contract/job.ts'
import { mendedRetention } from '../arms/retention.ts'
import { trainedAgain } from './causes/of-run.ts'
import type { AuditConfig } from './config.ts'
import { MitigateConfig } from './config.ts'
import { requireHeldOut } from '../measure/task/held-out.ts'
import { remediesIn } from './remedies.ts'
import { asAudit, planAudit, runAudit } from './run-audit.ts'
import type { Study } from './subjects/kind.ts'

export const mitigateJob: JobKind<MitigateConfig> = {
  name: 'mitigate',
  config: MitigateConfig,
  title: ({ run, model, candidates, remedy }) =>
    run === null
      ? `${remedy.length > 0 ? 'Remedies of' : 'Intruders scaled down in'} ${candidates.join(', ')} of ${model ?? 'no model'}`
      : `Remedies of ${run}`,
  plan: async (asked, stored) => {
    const { run } = asked
    const config = run === null ? mitigating(asked) : mendingOf({ ...asked, run }, stored)
    if (asked.task !== null) await requireHeldOut(config)
    return planAudit({ config, evaluates: true })
  },
  run: (config, context, progress) =>
    config.run === null
      ? runAudit({ config: mitigating(config), evaluates: true }, context, progress)
      : mendRun({ ...config, run: config.run }, context, progress),
}

/** Either remedies, or the panel of every form at each λ. */
function mitigating(config: MitigateConfig): AuditConfig {
  const { model, lambda, remedy } = config
  return asAudit({ ...config, model: model!, mitigate: remedy.length > 0 ? [] : lambda })
}

type OfARun = MitigateConfig & { readonly run: string }

/** The run's own configuration, with what is asked of it. */
function mendingOf(asked: OfARun, progress: Pick<Progress, 'ended'>) {
  const { run, device, threads, batchSize, task, taskMetric, taskGain } = asked
  const { remedy, keepMended, keepWeights } = asked
  const stored = trainedAgain({ run, arm: null, device, threads, batchSize }, progress)
  const measured = task === null ? {} : { task, taskMetric, taskGain }
  return { ...stored, ...measured, remedy, keepMended, keepWeights }
}

async function mendRun(asked: OfARun, context: JobContext, progress: Progress): Promise<void> {
  const config = mendingOf(asked, progress)
  if (asked.task !== null) await requireHeldOut(config)
  const remedies = remediesIn(config)
  const look: Study['look'] = async ({ base, arms, tuned, evaluation }) => {
    const plans = arms.map((plan) => ({
      ...plan,
      evaluateAt: evaluationSteps(plan.training.steps, config.evaluatedEvery),
    }))
    const { margin: price } = config
    const retention = mendedRetention(config, progress)
    const mending = { tuned, plans, remedies, price, evaluation, retention }
    await remedyAll(base, mending, context, progress)
  }
  const of = progress.ended(asked.run).rows()
  await runAudit({ config, evaluates: true, study: { of, look } }, context, progress)
}
