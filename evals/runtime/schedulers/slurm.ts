/**
 * @file Tasks as job arrays of Slurm, over a folder that all nodes share. The queue is the truth: a run that is resumed follows
 * the arrays of an earlier attempt and submits only what is neither settled nor queued.
 */
import { mkdir, readdir, readFile } from 'node:fs/promises'
import { basename, dirname, join } from 'node:path'
import { setTimeout as sleep } from 'node:timers/promises'
import { sha256 } from '../../files/digest.ts'
import { writeAtomically } from '../../files/write-file.ts'
import { childNode } from '../child-node.ts'
import { ATTEMPTS, type Scheduler, type Task, type TaskRuns } from './scheduler.ts'
import { cancel, largestArray, queueOf, stateOf, submit, type Queued } from './slurm-commands.ts'

export interface SlurmChoice {
  readonly partition: string | null
  /** Words for `sbatch` without their dashes: `account=lab`, `mem=4G`. */
  readonly schedulerOptions: readonly string[]
}

const FIRST_LOOK_MS = 500
const SLOWEST_LOOK_MS = 10_000
/** A task that has left the queue may have a result that this node does not see yet. */
const LOOKS_WITHOUT = 3
/** Characters kept of the end of what a task wrote. */
const KEPT_CHARACTERS = 500
/** Reasons to wait that pass by themselves. */
const USUAL_REASONS = new Set(['None', 'Resources', 'Priority', 'BeginTime', 'JobArrayTaskLimit'])

/** Waits between two looks at the queue; rejects when the signal is aborted. */
type Pause = (milliseconds: number, signal: AbortSignal) => Promise<unknown>

const pausing: Pause = (milliseconds, signal) => sleep(milliseconds, undefined, { signal })

export const slurm = (choice: SlurmChoice, pause = pausing): Scheduler => ({
  outlivesCaller: true,
  // The cluster has its own limits.
  jobsFor: () => Infinity,
  async run(runs) {
    const arrays = await Arrays.open(runs, choice)
    const stop = () => void arrays.cancelAll()
    runs.signal.throwIfAborted()
    runs.signal.addEventListener('abort', stop)
    try {
      await arrays.follow(pause)
    } catch (error) {
      await arrays.cancelAll()
      throw error
    } finally {
      runs.signal.removeEventListener('abort', stop)
    }
  },
})

/** A task that is not settled, and what was seen of it. */
interface Followed<T> {
  readonly task: T
  /** Array and index, `4-17`, of the last submission; undefined before. */
  at: string | undefined
  job: string | undefined
  deaths: number
  looksWithout: number
  restarts: number
  reason: string | undefined
}

class Arrays<T extends Task> {
  readonly #runs: TaskRuns<T>
  readonly #choice: SlurmChoice
  readonly #folder: string
  /** Jobs of one plan share this beginning of their names. */
  readonly #prefix: string
  readonly #followed: Map<number, Followed<T>>
  #next = 0

  static async open<T extends Task>(runs: TaskRuns<T>, choice: SlurmChoice): Promise<Arrays<T>> {
    const arrays = new Arrays(runs, choice)
    await arrays.#findEarlier()
    return arrays
  }

  private constructor(runs: TaskRuns<T>, choice: SlurmChoice) {
    this.#runs = runs
    this.#choice = choice
    this.#folder = join(dirname(runs.argument), 'slurm')
    this.#prefix = `touchstone-${sha256(runs.argument).slice(0, 12)}-`
    const fresh = { at: undefined, job: undefined, deaths: 0, looksWithout: 0, restarts: 0 }
    this.#followed = new Map(
      runs.tasks.map((task) => [task.position, { task, ...fresh, reason: undefined }]),
    )
  }

  /** Arrays of an earlier attempt have a file of positions, `N.tasks`. */
  async #findEarlier(): Promise<void> {
    await mkdir(this.#folder, { recursive: true })
    for (const name of await readdir(this.#folder)) {
      if (!name.endsWith('.tasks')) continue
      const array = Number(basename(name, '.tasks'))
      this.#next = Math.max(this.#next, array + 1)
      const positions = (await readFile(join(this.#folder, name), 'utf8')).split('\n')
      positions.forEach((position, index) => {
        const followed = position === '' ? undefined : this.#followed.get(Number(position))
        if (followed) followed.at = `${array}-${index}`
      })
    }
    const queue = await queueOf(this.#prefix)
    for (const followed of this.#followed.values()) {
      if (followed.at === undefined || !queue.has(followed.at)) followed.at = undefined
    }
  }

  async follow(pause: Pause): Promise<void> {
    const { signal } = this.#runs
    let wait = FIRST_LOOK_MS
    for (;;) {
      const before = this.#followed.size
      await this.#submitRest()
      const queue = await queueOf(this.#prefix)
      for (const followed of this.#followed.values()) await this.#look(followed, queue)
      if (this.#followed.size === 0) return
      wait = this.#followed.size < before ? FIRST_LOOK_MS : Math.min(SLOWEST_LOOK_MS, wait * 1.5)
      await pause(wait, signal).catch(() => signal.throwIfAborted())
    }
  }

  async #submitRest(): Promise<void> {
    const rest = [...this.#followed.values()].filter(({ at }) => at === undefined)
    if (rest.length === 0) return
    const most = await largestArray()
    for (let from = 0; from < rest.length; from += most) {
      this.#runs.signal.throwIfAborted()
      await this.#submit(rest.slice(from, from + most))
    }
  }

  async #submit(tasks: readonly Followed<T>[]): Promise<void> {
    const { script, argument, jobs, threads } = this.#runs
    const array = this.#next++
    const path = (extension: string) => join(this.#folder, `${array}.${extension}`)
    await writeAtomically(
      path('tasks'),
      tasks.map(({ task }) => `${task.position}\n`),
    )
    const position = `"$(sed -n "$((SLURM_ARRAY_TASK_ID + 1))p" ${quoted(path('tasks'))})"`
    const words = [childNode(), script, argument].map(quoted).join(' ')
    await writeAtomically(path('sh'), [`#!/bin/sh\nexec ${words} ${position}\n`])
    const { partition, schedulerOptions } = this.#choice
    const job = await submit([
      `--job-name=${this.#prefix}${array}`,
      `--array=0-${tasks.length - 1}%${Math.min(jobs, tasks.length)}`,
      `--output=${join(this.#folder, `${array}-%a.out`)}`,
      ...['--open-mode=append', '--requeue', '--nodes=1', '--ntasks=1'],
      `--cpus-per-task=${threads}`,
      ...(partition === null ? [] : [`--partition=${partition}`]),
      ...schedulerOptions.map((option) => `--${option}`),
      path('sh'),
    ])
    tasks.forEach((followed, index) => {
      followed.at = `${array}-${index}`
      followed.job = `${job}_${index}`
      followed.looksWithout = 0
    })
  }

  async #look(followed: Followed<T>, queue: ReadonlyMap<string, Queued>): Promise<void> {
    const { task } = followed
    const { isSettled, onSettled } = this.#runs
    if (await isSettled(task)) {
      this.#followed.delete(task.position)
      return onSettled(task)
    }
    const queued = queue.get(followed.at!)
    if (queued) {
      followed.looksWithout = 0
      return this.#tellChange(followed, queued)
    }
    if (++followed.looksWithout >= LOOKS_WITHOUT) await this.#died(followed)
  }

  #tellChange(followed: Followed<T>, { restarts, reason }: Queued): void {
    const { onWaiting } = this.#runs
    const name = `Task ${followed.task.position}`
    if (restarts > followed.restarts) {
      onWaiting?.(`${name} was put back into Slurm’s queue: its node failed or was taken away.`)
    }
    if (reason !== followed.reason && !USUAL_REASONS.has(reason)) {
      onWaiting?.(`${name} waits in Slurm’s queue: ${reason}.`)
    }
    followed.restarts = restarts
    followed.reason = reason
  }

  /** Submits the task of a dead process again, or gives it up. */
  async #died(followed: Followed<T>): Promise<void> {
    followed.deaths += 1
    const { task, at, job } = followed
    if (followed.deaths < ATTEMPTS) {
      followed.at = undefined
      return
    }
    this.#followed.delete(task.position)
    const said = await readFile(join(this.#folder, `${at}.out`), 'utf8').catch(() => '')
    const how = (job && (await stateOf(job))) ?? 'it left the queue'
    await this.#runs.onDied(task, how, said.trim().slice(-KEPT_CHARACTERS))
  }

  async cancelAll(): Promise<void> {
    const queue = await queueOf(this.#prefix).catch(() => new Map<string, Queued>())
    const jobs = new Set([...queue.values()].map(({ array }) => array))
    if (jobs.size > 0) await cancel([...jobs])
  }
}

/** One word for the shell. */
const quoted = (word: string): string => `'${word.replaceAll("'", "'\\''")}'`
