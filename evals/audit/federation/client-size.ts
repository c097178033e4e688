/** @file What one client takes, how many train at a time, and what they send: for the plan, and for the run. */
import { boundStrategy } from '../../finetune/federation/registry.ts'
import { bind } from '../../finetune/method.ts'
import { trainedSize } from '../../finetune/training/trained-size.ts'
import { jobsFor, thisMachine } from '../../runtime/jobs-estimate.ts'
import { CLIENT_THREADS } from '../../arms/federation/clients.ts'
import { plannedBytes } from '../plan/plan-memory.ts'
import type { ClientData } from './client-data.ts'
import { auditOf, methodSettings, type FederateConfig } from './config.ts'

type Opened = Parameters<typeof plannedBytes>[0]

/** Peak memory of a process that trains one client, bytes. */
export function bytesOfClient(
  opened: Opened,
  config: FederateConfig,
  { sources }: ClientData,
): Promise<number> {
  const conversations = sources.flatMap((source) => source.conversations)
  return plannedBytes(opened, auditOf(config, 1), { title: 'clients', conversations }, false)
}

/** How many clients train at a time; one trains in the process of the job. */
export const jobsOf = ({ jobs, clients, sampled }: FederateConfig, bytes: number): number =>
  Math.min(
    jobs ?? jobsFor({ bytes, threads: CLIENT_THREADS }, thisMachine()),
    Math.min(sampled ?? clients, clients),
  )

/** Numbers that a client of the common rank sends in a round, by strategy. */
export const numbersSent = ({ model }: Opened, config: FederateConfig): number[] =>
  config.strategies.map((name) => {
    const { method } = boundStrategy(name, config.settings)
    return trainedSize(model, bind(method, methodSettings(config, config.rank))).trained
  })
