/**
 * @file Ends this process when its event loop does not come back: a call that computes without end, in JavaScript or in a library,
 * would leave the window waiting for good. A thread watches; the engine sees the end, and starts the process again.
 */
import { Worker } from 'node:worker_threads'
import { scriptBeside } from '../files/script-beside.ts'

/** Of processor time of the main thread, in milliseconds: a busy machine does not shorten it, and no call takes a tenth. */
const PATIENCE_MS = 180_000

export interface Watched {
  /** `[1]`: how often the event loop has come round. */
  readonly turns: Int32Array
  readonly patienceMs: number
}

/** Returns at once; neither the thread nor the timer keeps the process alive. */
export function watchOver(patienceMs = PATIENCE_MS): void {
  const turns = new Int32Array(new SharedArrayBuffer(Int32Array.BYTES_PER_ELEMENT))
  const thread = new Worker(scriptBeside(import.meta.filename, 'watchdog-thread'), {
    workerData: { turns, patienceMs } satisfies Watched,
  })
  thread.unref()
  const often = Math.min(1000, patienceMs / 4)
  setInterval(() => Atomics.add(turns, 0, 1), often).unref()
}
