/**
 * @file The process of one job: runs it into its folder and reports which events are stored. Arguments: the run's id and the
 * request as JSON. When its engine is gone it stops at the next safe point, so that the run can be resumed.
 */
import { join } from 'node:path'
import { withLockedStore } from '../runs/databases.ts'
import { runStored } from '../runs/stored-job.ts'
import { toWireError } from '../errors/wire.ts'
import type { Sink } from '../contract/job.ts'
import type { Store } from '../runs/store/store.ts'
import type { FromJob, JobRequest, ToJob } from './job-messages.ts'
import { KINDS } from './kinds.ts'

/** Milliseconds between reports, and so the longest delay of a window. */
const FLUSH_MS = 100
const GRACE_MS = 3000

const [runId = '', requestText = '{}'] = process.argv.slice(2)
const { kind, config, isResumed, command, folder } = JSON.parse(requestText) as JobRequest
const controller = new AbortController()

process.on('SIGINT', () => undefined)
process.on('disconnect', () => controller.abort())
process.on('message', (message: ToJob) => {
  if (message.type === 'stop') controller.abort()
})
// The engine may have exited while modules were loading.
if (!process.connected) controller.abort()

try {
  await withLockedStore(folder, runIn)
} catch (error) {
  send({ type: 'refused', error: toWireError(error) })
}
if (process.connected) process.disconnect()
// A thread that was left running must not delay the next job.
setTimeout(() => process.exit(), GRACE_MS).unref()

async function runIn(store: Store): Promise<void> {
  const verb = KINDS[kind]
  const reporter = reporterOf(store)
  const timer = setInterval(reporter.report, FLUSH_MS)
  try {
    await runStored(
      {
        kind: await verb.kind(),
        config,
        runId,
        isResumed,
        command,
        writesReports: verb.writesReports,
        outDir: folder,
      },
      store,
      {
        sinks: [reporter.sink],
        signal: controller.signal,
        reportsDir: join(folder, runId),
        output: [],
      },
    )
  } finally {
    clearInterval(timer)
    reporter.report()
  }
}

function reporterOf(store: Store): { sink: Sink; report: () => void } {
  let [seen, reported] = [0, 0]
  return {
    sink: { event: ({ seq }) => void (seen = seq) },
    report() {
      if (seen === reported) return
      store.sink.flush()
      reported = seen
      send({ type: 'stored', seq: seen })
    },
  }
}

function send(message: FromJob): void {
  // The engine may exit between the test and the message; then nobody waits for it.
  if (process.connected) process.send!(message, () => undefined)
}
