/** @file The plan of a federation: that of the audit which measures it, its training told as rounds of clients. */
import type { PlanLine } from '../../contract/job.ts'
import { counted } from '../../contract/words.ts'
import { templateVariablesOf } from '../../models/text/template-variables.ts'
import { modelPath } from '../../models/model-path.ts'
import { openModel } from '../../models/open-model.ts'
import { recognise } from '../../models/registry.ts'
import { requireHeldOutOf } from '../../measure/task/held-out.ts'
import { planOf } from '../plan/plan.ts'
import { heldBy, readClientData, rowsOfClients } from './client-data.ts'
import { bytesOfClient, jobsOf, numbersSent } from './client-size.ts'
import { auditOf, type FederateConfig } from './config.ts'

const NUMBER_BYTES = 4

export async function federationLines(config: FederateConfig): Promise<PlanLine[]> {
  const data = await readClientData(config)
  await requireHeldOutOf(config, heldBy(data))
  const rows = rowsOfClients(data, config, config.seeds[0]!).map(({ length }) => length)
  const { clients, sampled, rounds, localSteps, strategies, seeds, training } = config
  const asked = Math.min(sampled ?? clients, clients)
  const audit = { ...auditOf(config, asked * localSteps), data: config.data[0]! }
  const lines = await planOf(audit, true)
  const open = await openModel(modelPath(config.model), templateVariablesOf(config.templateVars))
  try {
    const opened = { open, model: recognise(open.checkpoint) }
    const bytes = await bytesOfClient(opened, config, data)
    const jobs = jobsOf(config, bytes)
    const sent = numbersSent(opened, config).map((numbers) => kilobytes(NUMBER_BYTES * numbers))
    const what = [
      `${counted(clients, 'client')} of ${Math.min(...rows)} to ${Math.max(...rows)} rows, ${asked} asked in each of ${counted(rounds, 'round')} of ${localSteps} steps of ${training.batchSize * training.gradientAccumulationSteps} rows`,
      `${counted(strategies.length * seeds.length, 'federation')}, ${counted(jobs, 'client')} at a time`,
      `a client sends in a round ${strategies.map((name, i) => `${name} ${sent[i]}`).join(', ')}`,
    ].join('; ')
    const elsewhere = jobs > 1 ? jobs * bytes : 0
    return lines.map((line) =>
      line.unit === 'step'
        ? { ...line, what, seconds: line.seconds && line.seconds / jobs, bytes: bytes + elsewhere }
        : line,
    )
  } finally {
    await open.close()
  }
}

const kilobytes = (bytes: number): string => `${Math.ceil(bytes / 1000)} kB`
