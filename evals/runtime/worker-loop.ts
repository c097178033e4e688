/**
 * @file The side of a worker process: runs the tasks that its pool names, one after the other, until it is told to stop or the
 * pool's process has ended. Started by a batch system, it runs the one task whose position is its second argument.
 */
import type { FromWorker, ToWorker } from './worker-messages.ts'

/** A step of a large model may take long; ending within it loses no result. */
const PATIENCE_MS = 5000

/** Leaves the result of the task at `position` in its place. */
type RunTask = (position: number, signal: AbortSignal) => Promise<void>

export function serveTasks(run: RunTask): void {
  const controller = new AbortController()
  const alone = process.argv[3]
  if (alone === undefined) servePool(run, controller)
  else void runAlone(Number(alone), run, controller)
}

function servePool(run: RunTask, controller: AbortController): void {
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
    endSoon(controller)
    void queue.catch(() => undefined).finally(() => process.exit())
  }
}

/** A batch system ends a job with SIGTERM and kills it a while later. */
async function runAlone(position: number, run: RunTask, controller: AbortController) {
  process.on('SIGTERM', () => endSoon(controller))
  await run(position, controller.signal)
  process.exit()
}

function endSoon(controller: AbortController): void {
  controller.abort()
  setTimeout(() => process.exit(), PATIENCE_MS).unref()
}
