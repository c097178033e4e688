/** @file Tasks in worker processes on this machine: a process that dies fails one task only. */
import { fork, type ChildProcess } from 'node:child_process'
import { childNode } from '../child-node.ts'
import { jobsFor, thisMachine } from '../jobs-estimate.ts'
import type { FromWorker, ToWorker } from '../worker-messages.ts'
import { ATTEMPTS, type Scheduler, type Task, type TaskRuns } from './scheduler.ts'

/** Time to stop before a worker is killed. */
const PATIENCE_MS = 10_000
/** Characters kept of the end of a worker’s error stream. */
const KEPT_CHARACTERS = 500

interface Worker<T> {
  readonly child: ChildProcess
  task: T | undefined
  /** End of the error stream. */
  stderr: string
}

export const local: Scheduler = {
  outlivesCaller: false,
  jobsFor: (size) => jobsFor(size, thisMachine()),
  async run(options) {
    const { tasks, jobs, signal } = options
    signal.throwIfAborted()
    const pool = new WorkerPool(options)
    const stop = () => pool.stop()
    signal.addEventListener('abort', stop)
    try {
      const count = Math.min(jobs, tasks.length)
      await Promise.all(Array.from({ length: count }, () => pool.run()))
    } finally {
      signal.removeEventListener('abort', stop)
      pool.stop()
    }
    signal.throwIfAborted()
  },
}

class WorkerPool<T extends Task> {
  readonly #options: TaskRuns<T>
  readonly #waiting: T[]
  /** How many processes died, by position of their task. */
  readonly #deaths = new Map<number, number>()
  readonly #alive = new Set<Worker<T>>()
  #isStopping = false

  constructor(options: TaskRuns<T>) {
    this.#options = options
    this.#waiting = [...options.tasks]
  }

  stop(): void {
    this.#isStopping = true
    for (const { child } of this.#alive) {
      if (child.connected) child.send({ type: 'stop' } satisfies ToWorker)
      setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref()
    }
  }

  /** Keeps one worker running until no task is waiting; a worker that dies is replaced. */
  async run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#isStopping) await this.#runWorker()
    } catch (error) {
      this.stop()
      throw error
    }
  }

  async #runWorker(): Promise<void> {
    const worker = spawn<T>(this.#options)
    this.#alive.add(worker)
    const ended = new Promise<string>((resolve) => {
      // Each message to a dead worker is a separate `error` event.
      worker.child.on('error', (error) => resolve(error.message))
      worker.child.once('exit', (code, killed) => resolve(killed ?? `exit code ${code}`))
    })
    const how = await new Promise<string>((resolve, reject) => {
      void ended.then(resolve)
      worker.child.on('message', ({ position }: FromWorker) => {
        const { task } = worker
        if (task?.position !== position) return
        worker.task = undefined
        this.#options.onSettled(task).then(() => this.#dispatch(worker), reject)
      })
      this.#dispatch(worker)
    }).finally(() => {
      if (worker.child.connected) worker.child.send({ type: 'stop' } satisfies ToWorker)
    })
    await ended
    this.#alive.delete(worker)
    if (worker.task !== undefined && !this.#isStopping) await this.#failed(worker, worker.task, how)
  }

  #dispatch(worker: Worker<T>): void {
    const task = this.#isStopping ? undefined : this.#waiting.shift()
    worker.task = task
    if (!worker.child.connected) return
    worker.child.send(
      (task ? { type: 'run', position: task.position } : { type: 'stop' }) satisfies ToWorker,
    )
  }

  /** Repeats the task of a dead worker or gives it up, unless its result file is in place. */
  async #failed({ stderr }: Worker<T>, task: T, how: string): Promise<void> {
    const { isSettled, onSettled, onDied } = this.#options
    if (await isSettled(task)) return onSettled(task)
    const died = (this.#deaths.get(task.position) ?? 0) + 1
    this.#deaths.set(task.position, died)
    if (died < ATTEMPTS) return void this.#waiting.unshift(task)
    await onDied(task, how, stderr.trim())
  }
}

function spawn<T>({ script, argument }: { script: string; argument: string }): Worker<T> {
  const child = fork(script, [argument], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execPath: childNode(),
    execArgv: [],
  })
  const worker: Worker<T> = { child, task: undefined, stderr: '' }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    worker.stderr = (worker.stderr + text).slice(-KEPT_CHARACTERS)
  })
  return worker
}
