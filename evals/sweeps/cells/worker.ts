/**
 * @file A worker's process: runs the cells that its coordinator names, one after the other, until it is told to stop or the
 * coordinator is gone. Its one argument is the path of the plan.
 */
import { readPlan } from '../files.ts'
import { createCellRunner } from './run-cell.ts'
import type { FromWorker, ToWorker } from './worker-messages.ts'

/** A step of a large model may be long; nothing that is measured is lost by ending in its middle. */
const PATIENCE_MS = 5000

const planPath = process.argv[2]!
const controller = new AbortController()
const runner = createCellRunner(planPath)
const plan = readPlan(planPath)
let queue = Promise.resolve()

/** Ctrl-C reaches the whole group of processes; the coordinator decides what it means. */
process.on('SIGINT', () => undefined)
process.on('disconnect', stop)
process.on('message', (message: ToWorker) => {
  if (message.type === 'stop') return stop()
  queue = queue.then(() => runCell(message.position))
})

// While the modules were loading the coordinator may have gone, and nobody heard it.
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
