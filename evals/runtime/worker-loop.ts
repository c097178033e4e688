/**
 * @file The side of a worker process: runs the tasks that its pool names, one after the other, until it is told to stop or the
 * pool's process has ended.
 */
import type { FromWorker, ToWorker } from './worker-messages.ts'

/** A step of a large model may take long; ending within it loses no result. */
const PATIENCE_MS = 5000

/** `run` leaves the result of the task at `position` in its place. */
export function serveTasks(run: (position: number, signal: AbortSignal) => Promise<void>): void {
  const controller = new AbortController()
  let queue = Promise.resolve()

  /** Ctrl-C reaches the whole process group; the pool's process handles it. */
  process.on('SIGINT', () => undefined)
  process.on('disconnect', stop)
  process.on('message', (message: ToWorker) => {
    if (message.type === 'stop') return stop()
    const { position } = message
    queue = queue.then(async () => {
      await run(position, controller.signal)
      if (process.connected) process.send!({ type: 'settled', position } satisfies FromWorker)
    })
  })

  // The pool's process may have ended while the modules were loaded, before anything listened.
  if (!process.connected) stop()

  function stop(): void {
    controller.abort()
    setTimeout(() => process.exit(), PATIENCE_MS).unref()
    void queue.catch(() => undefined).finally(() => process.exit())
  }
}
