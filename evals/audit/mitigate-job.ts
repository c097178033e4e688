/** @file The job `mitigate`: remedies of fine-tunes made elsewhere, or of those of a run; without one, intruders scaled at each λ. */
import { remedyAll } from '../arms/remedies/run-remedies.ts'
import { evaluationSteps } from '../contract/gate/steps.ts'
import type { JobContext, JobKind, Progress } from '../contract/job.ts'
import { trainedAgain } from './causes/of-run.ts'
import type { AuditConfig } from './config.ts'
import { MitigateConfig } from './config.ts'
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
  plan: async (config) =>
    config.run === null ? planAudit({ config: mitigating(config), evaluates: true }) : [],
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

async function mendRun(
  asked: MitigateConfig & { readonly run: string },
  context: JobContext,
  progress: Progress,
): Promise<void> {
  const { run, device, threads, batchSize } = asked
  const stored = trainedAgain({ run, arm: null, device, threads, batchSize }, progress)
  const { task, taskMetric, taskGain, remedy } = asked
  const config = { ...stored, ...(task === null ? {} : { task, taskMetric, taskGain }), remedy }
  const remedies = remediesIn(config)
  const look: Study['look'] = async ({ base, arms, tuned, evaluation }) => {
    const plans = arms.map((plan) => ({
      ...plan,
      evaluateAt: evaluationSteps(plan.training.steps, stored.evaluatedEvery),
    }))
    const { margin: price } = config
    await remedyAll(base, { tuned, plans, remedies, price, evaluation }, context, progress)
  }
  await runAudit({ config, evaluates: true, study: { look } }, context, progress)
}
