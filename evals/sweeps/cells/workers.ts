/** @file Runs cells in processes of their own, so that one that dies takes one cell with it, and cores are used. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import type { PlannedCell } from '../../contract/sweeps.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { toWireError } from '../../errors/wire.ts'
import { childNode } from '../../runtime/child-node.ts'
import { readResult, writeResult } from '../files.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

const WORKER = join(import.meta.dirname, 'worker.ts')
/** A cell whose process died is run once more, in another one: the kernel may have taken the memory of the wrong one. */
const ATTEMPTS = 2
/** After these a worker that was asked to stop is made to. */
const PATIENCE_MS = 10_000
/** Of what a worker wrote on its error stream, the end is kept. */
const KEPT_CHARACTERS = 500

interface Work {
  readonly planPath: string
  readonly cells: readonly PlannedCell[]
  readonly jobs: number
  readonly signal: AbortSignal
  /** After a cell's result file is in place. */
  readonly onSettled: (cell: PlannedCell) => Promise<void>
}

interface Worker {
  readonly child: ChildProcess
  cell: PlannedCell | undefined
  said: string
}

/** Resolves once every cell is settled; rejects with the signal's reason, or with the first error that `onSettled` throws. */
export async function runInWorkers(work: Work): Promise<void> {
  const { cells, jobs, signal } = work
  signal.throwIfAborted()
  const floor = createFloor(work)
  signal.addEventListener('abort', floor.stop)
  try {
    const count = Math.min(jobs, cells.length)
    await Promise.all(Array.from({ length: count }, () => floor.staff()))
  } finally {
    signal.removeEventListener('abort', floor.stop)
    floor.stop()
  }
  signal.throwIfAborted()
}

function createFloor({ planPath, cells, signal, onSettled }: Work) {
  const waiting = [...cells]
  const deaths = new Map<number, number>()
  const alive = new Set<Worker>()
  let isStopping = false

  function stop(): void {
    isStopping = true
    for (const { child } of alive) {
      if (child.connected) child.send({ type: 'stop' } satisfies ToWorker)
      setTimeout(() => child.kill('SIGKILL'), PATIENCE_MS).unref()
    }
  }

  /** One place at the bench: a worker until nothing waits, and another one where it died. */
  async function staff(): Promise<void> {
    try {
      while (waiting.length > 0 && !isStopping) await employ()
    } catch (error) {
      stop()
      throw error
    }
  }

  async function employ(): Promise<void> {
    const worker = hire(planPath)
    alive.add(worker)
    const ended = new Promise<string>((resolve) => {
      // Each message that a dead worker does not take is an error of its own.
      worker.child.on('error', (error) => resolve(error.message))
      worker.child.once('exit', (code, killed) => resolve(killed ?? `exit code ${code}`))
    })
    const how = await new Promise<string>((resolve, reject) => {
      void ended.then(resolve)
      worker.child.on('message', ({ position }: FromWorker) => {
        const cell = worker.cell
        if (cell?.position !== position) return
        worker.cell = undefined
        onSettled(cell).then(() => next(worker), reject)
      })
      next(worker)
    }).finally(() => {
      if (worker.child.connected) worker.child.send({ type: 'stop' } satisfies ToWorker)
    })
    await ended
    alive.delete(worker)
    if (worker.cell !== undefined && !isStopping) await mourn(worker, worker.cell, how)
  }

  function next(worker: Worker): void {
    const cell = isStopping ? undefined : waiting.shift()
    worker.cell = cell
    if (!worker.child.connected) return
    worker.child.send(
      (cell ? { type: 'run', position: cell.position } : { type: 'stop' }) satisfies ToWorker,
    )
  }

  /** Its file may be in place all the same: it died between the rename and the word. */
  async function mourn({ said }: Worker, cell: PlannedCell, how: string): Promise<void> {
    if ((await readResult(planPath, cell.key)) !== undefined) return onSettled(cell)
    const died = (deaths.get(cell.position) ?? 0) + 1
    deaths.set(cell.position, died)
    if (died < ATTEMPTS) return void waiting.unshift(cell)
    const error = new TouchstoneError('sweep.worker-died', { how, said: said.trim() })
    const failed = { status: 'failed' as const, error: toWireError(error), metrics: [], curves: [] }
    await writeResult(planPath, { key: cell.key, ...failed, seconds: 0 })
    await onSettled(cell)
  }

  return { staff, stop, isAborted: () => signal.aborted }
}

function hire(planPath: string): Worker {
  const child = fork(WORKER, [planPath], {
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    execPath: childNode(),
    execArgv: [],
  })
  const worker: Worker = { child, cell: undefined, said: '' }
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    worker.said = (worker.said + text).slice(-KEPT_CHARACTERS)
  })
  return worker
}
