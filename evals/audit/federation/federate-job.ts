/** @file The job `federate`: clients fine-tune in rounds, and the states of every strategy are measured round by round. */
import { ACCOUNTANT } from '../../contract/metrics/federation.ts'
import { emitLog, type JobContext, type JobKind } from '../../contract/job.ts'
import { counted } from '../../contract/words.ts'
import type { EvaluationPlan } from '../../measure/evaluate.ts'
import type { Base } from '../../measure/base.ts'
import { scanOf } from '../arm-plans.ts'
import { requireHeldOutOf } from '../../measure/task/held-out.ts'
import { runAudit } from '../run-audit.ts'
import { heldBy, readClientData, type ClientData } from './client-data.ts'
import { bytesOfClient, jobsOf } from './client-size.ts'
import { auditOf, FederateConfig } from './config.ts'
import { trainingIn } from './elsewhere.ts'
import { federationLines } from './plan-lines.ts'
import { federatedPlans } from './plans.ts'

export const federateJob: JobKind<FederateConfig> = {
  name: 'federate',
  config: FederateConfig,
  title: ({ model, clients, strategies, badClients }) => {
    const bad = badClients === 0 ? '' : `, ${badClients} bad`
    return `Federation of ${model}, ${counted(clients, 'client')}${bad}: ${strategies.join(', ')}`
  },
  plan: federationLines,
  async run(config, context, progress) {
    const data = await readClientData(config)
    await requireHeldOutOf(config, heldBy(data))
    const federated = {
      isTampering: data.isTampering,
      plans: (base: Base, evaluation: EvaluationPlan | undefined) =>
        plansOn(base, evaluation, { config, data, context }),
    }
    if (config.dpNoise !== null) emitLog(context, 'info', PRIVACY_NOTE)
    await runAudit({ config: auditOf(config, 1), evaluates: true, federated }, context, progress)
  },
}

const PRIVACY_NOTE = `ε is told as ${ACCOUNTANT}. Noise is drawn from the seed, so that a run can be repeated: whoever knows the seed can take it away.`

interface Federation {
  readonly config: FederateConfig
  readonly data: ClientData
  readonly context: JobContext
}

async function plansOn(
  base: Base,
  evaluation: EvaluationPlan | undefined,
  { config, data, context }: Federation,
) {
  const jobs = jobsOf(config, await bytesOfClient(base, config, data))
  const trainElsewhere = jobs > 1 ? trainingIn(jobs, config) : undefined
  const onEvaluated = scanOf({ base, config: auditOf(config, 1) }, context)
  return federatedPlans({ base, config, data, evaluation, trainElsewhere, onEvaluated }, context)
}
