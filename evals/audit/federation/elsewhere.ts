/** @file Clients in processes of their own: what a process is told, and how the clients of a round are given out to several. */
import { mkdir } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import { scriptBeside } from '../../files/script-beside.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { writeAtomically } from '../../files/write-file.ts'
import type { RoundWork } from '../../arms/federation/federation-plan.ts'
import { clientsFolder, isSent } from '../../arms/federation/round-files.ts'
import { local } from '../../runtime/schedulers/local.ts'
import { FederateConfig } from './config.ts'

const WORKER = scriptBeside(import.meta.filename, 'worker')

/** The arm whose clients a process trains. */
export const ClientTask = z.object({
  config: FederateConfig,
  strategy: z.string(),
  seed: z.int(),
  folder: z.string(),
  slices: z.array(
    z.object({ name: z.string(), shape: z.array(z.int()), learningRateScale: z.number() }),
  ),
})
export type ClientTask = z.infer<typeof ClientTask>

export const trainingIn =
  (jobs: number, config: FederateConfig) =>
  async ({ arm, round, clients, signal }: RoundWork): Promise<void> => {
    const { folder, plan, table } = arm
    const slices = table.slices.map(({ name, shape, learningRateScale }) => ({
      name,
      learningRateScale,
      shape: [...shape],
    }))
    const task: ClientTask = { config, strategy: plan.arm, seed: plan.seed, folder, slices }
    await mkdir(clientsFolder(folder), { recursive: true })
    const path = join(clientsFolder(folder), 'task.json')
    await writeAtomically(path, [JSON.stringify(task)])
    await local.run({
      script: WORKER,
      argument: path,
      tasks: clients.map((position) => ({ position })),
      jobs,
      threads: 1,
      signal,
      isSettled: ({ position }) => isSent(arm, round, position),
      onSettled: () => Promise.resolve(),
      onDied: ({ position: client }, how, said) => {
        const values = { client, round: round + 1, how, said }
        return Promise.reject(new TouchstoneError('federation.worker-died', values))
      },
    })
  }
