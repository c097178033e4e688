/** @file A worker process of a federation: trains clients of the arm that the file at its argument describes. */
import { createClientRunner } from '../../arms/federation/clients.ts'
import { readJson } from '../../files/read-file.ts'
import { parameterTable } from '../../finetune/training/parameters.ts'
import { chooseDevice } from '../../runtime/device.ts'
import { serveTasks } from '../../runtime/worker-loop.ts'
import { openedBase } from '../subjects/local.ts'
import { readClientData } from './client-data.ts'
import { auditOf } from './config.ts'
import { ClientTask } from './elsewhere.ts'
import { examplesOfClients, federatedPlan } from './plans.ts'

const opening = openRunner(process.argv[2]!)
// Its failure reaches the first task.
opening.catch(() => undefined)

serveTasks(async (client, signal) => {
  const runner = await opening
  await runner.run(client, signal)
})

async function openRunner(path: string) {
  const { config, strategy: name, seed, folder, slices } = ClientTask.parse(await readJson(path))
  // What is logged here the pool's process has logged already.
  const quiet = { emit: () => undefined, signal: new AbortController().signal }
  const audit = auditOf(config, 1)
  const [base, data] = await Promise.all([
    openedBase(audit, chooseDevice(audit.device, audit.threads ?? undefined), quiet),
    readClientData(config),
  ])
  const work = { base, config, data, evaluation: undefined }
  const rows = await examplesOfClients(work, seed, quiet)
  const { federation, ...plan } = federatedPlan(work, rows, { name, seed })
  return createClientRunner({ base, plan, federation, folder, table: parameterTable(slices) })
}
