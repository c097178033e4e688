/**
 * @file The process of one job: runs it into its folder, and says how far the database is. Its arguments are the run's id and
 * the request. Without its engine it stops at the next safe point, so that the run can be resumed and nothing runs unseen.
 */
import { join } from 'node:path'
import { FILE_NAME } from '../runs/databases.ts'
import { runStored } from '../runs/stored-job.ts'
import { toWireError } from '../errors/wire.ts'
import type { Sink } from '../contract/job.ts'
import { lockFolder } from '../runs/store/lock.ts'
import { openStore, type Store } from '../runs/store/store.ts'
import type { FromJob, JobRequest, ToJob } from './job-messages.ts'
import { KINDS } from './kinds.ts'

/** How long a window may be behind. */
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
// While the modules were loading the engine may have gone.
if (!process.connected) controller.abort()

try {
  await run()
} catch (error) {
  tell({ type: 'refused', error: toWireError(error) })
}
if (process.connected) process.disconnect()
// A thread that somebody forgot must not keep the next job waiting.
setTimeout(() => process.exit(), GRACE_MS).unref()

async function run(): Promise<void> {
  const store = openStore(join(folder, FILE_NAME))
  try {
    const unlock = lockFolder(folder)
    try {
      await runIn(store)
    } finally {
      unlock()
    }
  } finally {
    store.close()
  }
}

async function runIn(store: Store): Promise<void> {
  const verb = KINDS[kind]
  const teller = tellerOf(store)
  const timer = setInterval(teller.tellStored, FLUSH_MS)
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
        sinks: [teller.sink],
        signal: controller.signal,
        reportsDir: join(folder, runId),
        output: [],
      },
    )
  } finally {
    clearInterval(timer)
    teller.tellStored()
  }
}

function tellerOf(store: Store): { sink: Sink; tellStored: () => void } {
  let [seen, told] = [0, 0]
  return {
    sink: { event: ({ seq }) => void (seen = seq) },
    tellStored() {
      if (seen === told) return
      store.sink.flush()
      told = seen
      tell({ type: 'stored', seq: seen })
    },
  }
}

function tell(message: FromJob): void {
  // The engine may go between the look and the word; nobody is left to mind.
  if (process.connected) process.send!(message, () => undefined)
}
