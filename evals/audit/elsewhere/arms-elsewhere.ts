/** @file Arms of an audit as tasks of a scheduler: each is trained and measured by itself, and what it says is told in the order of the plan. */
import { rm } from 'node:fs/promises'
import { join } from 'node:path'
import { z } from 'zod'
import type { FinishedEvaluation } from '../../contract/audit-rows.ts'
import { emitLog, type JobContext, type Progress } from '../../contract/job.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { makePrivateFolder } from '../../files/private-file.ts'
import { exists } from '../../files/read-file.ts'
import { scriptBeside } from '../../files/script-beside.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { armFolder } from '../../arms/arm.ts'
import { nameOf, type ArmPlan } from '../../arms/arm-plan.ts'
import type { Base } from '../../measure/base.ts'
import { schedulerOf } from '../../runtime/schedulers/registry.ts'
import { AuditConfig } from '../config.ts'
import { writeBaseRows } from './base-rows.ts'
import { replay } from './journal.ts'

const WORKER = scriptBeside(import.meta.filename, 'worker')
const TASK = 'task.json'

/** What a process is told; its position is the arm's in the plan. */
export const ArmsTask = z.object({
  config: AuditConfig,
  workspace: z.string(),
  evaluates: z.boolean(),
})
export type ArmsTask = z.infer<typeof ArmsTask>

export const elsewhereIn = (workspace: string) => join(workspace, 'elsewhere')

/** Where the arm at `position` leaves what it said. */
export const journalPath = (workspace: string, position: number): string =>
  join(elsewhereIn(workspace), `${position}.jsonl`)

interface Work {
  readonly base: Base
  readonly config: AuditConfig
}

/** Runs the arms where the configuration says; resolves to their plans, of which nothing is left to do. */
export async function trainElsewhere<P extends ArmPlan>(
  { base, config }: Work,
  arms: readonly P[],
  context: JobContext,
  progress: Progress,
): Promise<P[]> {
  const { workspace, signal } = context
  const { threads } = base.device
  const evaluates = arms.some(({ evaluation }) => evaluation !== undefined)
  const argument = join(elsewhereIn(workspace), TASK)
  makePrivateFolder(elsewhereIn(workspace))
  await writeBaseRows(elsewhereIn(workspace), progress)
  const task = { config: { ...config, threads }, workspace, evaluates }
  await writeAtomically(argument, [JSON.stringify(task)])
  const teller = new Teller(arms, context, progress)
  const tasks = arms.map((_, position) => ({ position }))
  const left: { position: number }[] = []
  for (const each of tasks) if (!(await teller.isSettled(each))) left.push(each)
  await teller.tellSettled()
  if (left.length === 0) return teller.settled()
  const scheduler = schedulerOf(config)
  await scheduler.run({
    script: WORKER,
    argument,
    tasks: left,
    jobs: scheduler.jobsFor({ bytes: 0, threads }),
    threads,
    signal,
    isSettled: (each) => teller.isSettled(each),
    onSettled: () => teller.tellSettled(),
    onDied: ({ position }, how, said) => {
      const arm = nameOf(arms[position]!)
      return Promise.reject(new TouchstoneError('elsewhere.died', { arm, how, said }))
    },
    onWaiting: (message) => emitLog(context, 'warn', message),
  })
  return teller.settled()
}

export const forgetElsewhere = ({ workspace }: JobContext): Promise<void> =>
  rm(elsewhereIn(workspace), { recursive: true, force: true })

/** Tells journals in the order of the plan, so that rows are those of one machine. */
class Teller<P extends ArmPlan> {
  readonly #arms: readonly P[]
  readonly #context: JobContext
  readonly #progress: Progress
  readonly #told: P[] = []
  #telling: Promise<void> = Promise.resolve()

  constructor(arms: readonly P[], context: JobContext, progress: Progress) {
    this.#arms = arms
    this.#context = context
    this.#progress = progress
  }

  isSettled({ position }: { position: number }): Promise<boolean> {
    return exists(journalPath(this.#context.workspace, position))
  }

  tellSettled(): Promise<void> {
    this.#telling = this.#telling.then(() => this.#tellNext())
    return this.#telling
  }

  async #tellNext(): Promise<void> {
    for (;;) {
      const position = this.#told.length
      const plan = this.#arms[position]
      if (!plan || !(await this.isSettled({ position }))) return
      const path = journalPath(this.#context.workspace, position)
      const ended = await replay(path, nameOf(plan), this.#context)
      // What is told is in the store: an empty journal says that the arm is settled.
      await writeAtomically(path, [''], 0o600)
      this.#told.push(this.#withEnded(plan, ended))
    }
  }

  #withEnded(plan: P, ended: readonly FinishedEvaluation[]): P {
    const { evaluation } = plan
    if (!evaluation) return plan
    const finished = [...this.#progress.evaluations, ...ended]
    return { ...plan, evaluation: { ...evaluation, finished } }
  }

  settled(): P[] {
    if (this.#told.length < this.#arms.length) throw new Error('internal: an arm left no journal')
    return this.#told
  }
}

/** Deletes what an earlier process left of an arm that begins anew. */
export const forgetArm = (workspace: string, plan: ArmPlan): Promise<void> =>
  rm(armFolder(workspace, plan), { recursive: true, force: true })
