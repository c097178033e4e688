/**
 * @file A worker process: runs the cells that the coordinator names, one after the other, until it is told to stop or the
 * coordinator has ended. Argument: the path of the plan.
 */
import { readPlan } from '../files.ts'
import { createCellRunner } from './run-cell.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

/** A step of a large model may take long; ending within it loses no measurement. */
const PATIENCE_MS = 5000

const planPath = process.argv[2]!
const controller = new AbortController()
const runner = createCellRunner(planPath)
const plan = readPlan(planPath)
let queue = Promise.resolve()

/** Ctrl-C reaches the whole process group; the coordinator handles it. */
process.on('SIGINT', () => undefined)
process.on('disconnect', stop)
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') return stop()
  queue = queue.then(() => runCell(message.position))
})

// The coordinator may have ended while the modules were loaded, before anything listened.
if (!process.connected) stop()

async function runCell(position: number): Promise<void> {
  const cells = await plan
  await runner.run(cells[position]!, controller.signal)
  tell({ type: 'settled', position })
}

function tell(message: FromWorker): void {
  if (process.connected) process.send!(message)
}

function stop(): void {
  controller.abort()
  setTimeout(() => process.exit(), PATIENCE_MS).unref()
  void queue.catch(() => undefined).finally(() => process.exit())
}
