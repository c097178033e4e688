/** @file The lanes of a scan, each doing one comparison at a time: this thread, or several worker threads. */
import { availableParallelism } from 'node:os'
import { Worker } from 'node:worker_threads'
import { scriptBeside } from '../files/script-beside.ts'
import { addon } from '../native/load.ts'
import type { BaseStore } from './base-store.ts'
import type { Numbers } from './decomposition/matrix.ts'
import { createMeasurer, type Measure, type Task } from './measuring.ts'
import type { FromThread, ThreadSettings } from './scan-messages.ts'

export type Lane = { measure: Measure; close: () => Promise<void> }

/** Fewest multiplications (Σ mn·min(m, n)) for which threads pay. */
const WORTH_THREADS = 2e9
const MOST_THREADS = 8
/** Share of free memory for all threads. */
const MEMORY_SHARE = 0.5

/**
 * Bytes of a thread for a weight of p × q, p ≤ q: the base's float32 matrix twice and its float64 one on both sides, beside a Gram
 * matrix, its eigenvectors and their work, p × p each. All directions of a fine-tune take a matrix and its eigenvectors more.
 */
export function laneBytes([m, n]: readonly [number, number], isAll: boolean): number {
  const p = Math.min(m, n)
  return (isAll ? 32 : 24) * (m * n + p * p)
}

/** Seconds of an n × n eigenproblem and its products on one thread, over n³: in the addon (4096 × 14336) and in TypeScript. */
export const secondsPerCube = (): number => (addon() ? 1e-10 : 1.6e-9)

type Machine = { cores: number; freeBytes: number }
export const thisMachine = (): Machine => ({
  cores: availableParallelism(),
  freeBytes: process.availableMemory(),
})

/** The number of threads for a scan of these shapes; 1 means this thread. */
export function threadsFor(
  shapes: readonly (readonly [number, number])[],
  { cores, freeBytes }: Machine,
): number {
  const work = shapes.reduce((sum, [m, n]) => sum + m * n * Math.min(m, n), 0)
  if (work < WORTH_THREADS) return 1
  const largest = Math.max(...shapes.map((shape) => laneBytes(shape, true)))
  const fitting = Math.floor((MEMORY_SHARE * freeBytes) / largest)
  return Math.max(1, Math.min(cores, MOST_THREADS, shapes.length, fitting))
}

export function openLanes(count: number, store?: BaseStore): Lane[] {
  if (count === 1) return [{ measure: createMeasurer(store), close: async () => undefined }]
  return Array.from({ length: count }, () => threadLane(store))
}

/** Tasks that a thread cannot do run here, so that errors keep their class and a dead thread loses nothing. */
function threadLane(store?: BaseStore): Lane {
  const settings: ThreadSettings = { store: store?.options }
  const worker = new Worker(scriptBeside(import.meta.filename, 'scan-thread'), {
    workerData: settings,
    execArgv: [],
  })
  let answer: ((message: FromThread | undefined) => void) | undefined
  let isDead = false
  const settle = (message?: FromThread) => {
    worker.unref()
    answer?.(message)
    answer = undefined
  }
  worker.on('message', (message: FromThread) => {
    if (message.type === 'problem') store?.tell(message.why)
    else settle(message)
  })
  worker.on('error', () => undefined)
  worker.on('exit', () => {
    isDead = true
    settle()
  })
  worker.unref()
  const copied = copier()
  const ask = (task: Task) =>
    new Promise<FromThread | undefined>((resolve) => {
      if (isDead) return resolve(undefined)
      // While it works it may be the only thing that keeps the process alive.
      worker.ref()
      answer = resolve
      const { copy, owned } = copied(task)
      worker.postMessage(copy, owned)
    })
  return {
    measure: withRescue(ask, store),
    close: async () => void (await worker.terminate()),
  }
}

function withRescue(
  ask: (task: Task) => Promise<FromThread | undefined>,
  store?: BaseStore,
): Measure {
  let W0: Numbers | undefined
  let own: Measure | undefined
  return async (task) => {
    if (task.W0) {
      W0 = task.W0
      own = undefined
    }
    const reply: FromThread | undefined = own ? undefined : await ask(task)
    if (reply?.type === 'measured') return reply.measured
    const isFirst = own === undefined
    own ??= createMeasurer(store)
    return own(isFirst ? { ...task, W0 } : task)
  }
}

/**
 * Copies a task for a thread: a view of a checkpoint would be sent with its whole buffer. W0, the largest part, goes to memory
 * shared with the thread and reused for every task: the thread has finished with one base when the next arrives.
 */
function copier() {
  let shared = new SharedArrayBuffer(0)
  const share = (numbers: Numbers): Numbers => {
    if (shared.byteLength < numbers.byteLength) shared = new SharedArrayBuffer(numbers.byteLength)
    const copy =
      numbers instanceof Float32Array
        ? new Float32Array(shared, 0, numbers.length)
        : new Float64Array(shared, 0, numbers.length)
    copy.set(numbers)
    return copy
  }
  return (task: Task): { copy: Task; owned: ArrayBuffer[] } => {
    const owned: ArrayBuffer[] = []
    const own = <T extends Numbers>(numbers: T): T => {
      const copy = numbers.slice() as T
      owned.push(copy.buffer as ArrayBuffer)
      return copy
    }
    const { W0, W1, change } = task
    const copy = {
      ...task,
      W0: W0 && share(W0),
      W1: W1 && own(W1),
      change: change && { ...change, B: own(change.B), A: own(change.A) },
    }
    return { copy, owned }
  }
}
