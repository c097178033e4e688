/** @file A pool of worker processes that run cells: a process that dies fails one cell only. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { PlannedCell } from '../../contract/sweeps.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { toWireError } from '../../errors/wire.ts'
import { childNode } from '../../runtime/child-node.ts'
import { readResult, writeResult } from '../files.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
/** A cell whose process died is run once more, because the kernel may have killed it for memory that another process took. */
const ATTEMPTS = 2
/** Time to stop before a worker is killed. */
const PATIENCE_MS = 10_000
/** Characters kept of the end of a worker’s error stream. */
const KEPT_CHARACTERS = 500

interface PoolOptions {
  readonly planPath: string
  readonly cells: readonly PlannedCell[]
  readonly jobs: number
  readonly signal: AbortSignal
  /** Called after the result file of a cell is in place. */
  readonly onSettled: (cell: PlannedCell) => Promise<void>
}

interface Worker {
  readonly child: ChildProcess
  cell: PlannedCell | undefined
  /** End of the error stream. */
  stderr: string
}

/** Resolves when every cell has a result or has failed. Rejects with the signal's reason or the first error of `onSettled`. */
export async function runInWorkers(options: PoolOptions): Promise<void> {
  const { cells, jobs, signal } = options
  signal.throwIfAborted()
  const pool = new WorkerPool(options)
  const stop = () => pool.stop()
  signal.addEventListener('abort', stop)
  try {
    const count = Math.min(jobs, cells.length)
    await Promise.all(Array.from({ length: count }, () => pool.run()))
  } finally {
    signal.removeEventListener('abort', stop)
    pool.stop()
  }
  signal.throwIfAborted()
}

class WorkerPool {
  readonly #options: PoolOptions
  readonly #waiting: PlannedCell[]
  /** How many processes died, by position of their cell. */
  readonly #deaths = new Map<number, number>()
  readonly #alive = new Set<Worker>()
  #isStopping = false

  constructor(options: PoolOptions) {
    this.#options = options
    this.#waiting = [...options.cells]
  }

  stop(): void {
    this.#isStopping = true
    for (const { child } of this.#alive) {
      if (child.connected) child.send({ type: 'stop' } satisfies ToWorker)
      setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref()
    }
  }

  /** Keeps one worker running until no cell is waiting; a worker that dies is replaced. */
  async run(): Promise<void> {
    try {
      while (this.#waiting.length > 0 && !this.#isStopping) await this.#runWorker()
    } catch (error) {
      this.stop()
      throw error
    }
  }

  async #runWorker(): Promise<void> {
    const worker = spawn(this.#options.planPath)
    this.#alive.add(worker)
    const ended = new Promise<string>((resolve) => {
      // Each message to a dead worker is a separate `error` event.
      worker.child.on('error', (error) => resolve(error.message))
      worker.child.once('exit', (code, killed) => resolve(killed ?? `exit code ${code}`))
    })
    const how = await new Promise<string>((resolve, reject) => {
      void ended.then(resolve)
      worker.child.on('message', ({ position }: FromWorker) => {
        const cell = worker.cell
        if (cell?.position !== position) return
        worker.cell = undefined
        this.#options.onSettled(cell).then(() => this.#dispatch(worker), reject)
      })
      this.#dispatch(worker)
    }).finally(() => {
      if (worker.child.connected) worker.child.send({ type: 'stop' } satisfies ToWorker)
    })
    await ended
    this.#alive.delete(worker)
    if (worker.cell !== undefined && !this.#isStopping) await this.#failed(worker, worker.cell, how)
  }

  #dispatch(worker: Worker): void {
    const cell = this.#isStopping ? undefined : this.#waiting.shift()
    worker.cell = cell
    if (!worker.child.connected) return
    worker.child.send(
      (cell ? { type: 'run', position: cell.position } : { type: 'stop' }) satisfies ToWorker,
    )
  }

  /** Repeats the cell of a dead worker or records its failure, unless its result file is in place. */
  async #failed({ stderr }: Worker, cell: PlannedCell, how: string): Promise<void> {
    const { planPath, onSettled } = this.#options
    if ((await readResult(planPath, cell.key)) !== undefined) return onSettled(cell)
    const died = (this.#deaths.get(cell.position) ?? 0) + 1
    this.#deaths.set(cell.position, died)
    if (died < ATTEMPTS) return void this.#waiting.unshift(cell)
    const error = new TouchstoneError('sweep.worker-died', { how, said: stderr.trim() })
    const failed = { status: 'failed' as const, error: toWireError(error), metrics: [], curves: [] }
    await writeResult(planPath, { key: cell.key, ...failed, seconds: 0 })
    await onSettled(cell)
  }
}

function spawn(planPath: string): Worker {
  const child = fork(WORKER, [planPath], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execPath: childNode(),
    execArgv: [],
  })
  const worker: Worker = { child, cell: undefined, stderr: '' }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    worker.stderr = (worker.stderr + text).slice(-KEPT_CHARACTERS)
  })
  return worker
}
