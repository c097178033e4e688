/** @file A scan's worker thread: measures tasks one after another. */
import { parentPort, workerData } from 'node:worker_threads'
import { openBaseStore } from './base-store.ts'
import { freeMatrices } from './free-matrices.ts'
import { createMeasurer, type Task } from './measuring.ts'
import type { FromThread, ThreadSettings } from './scan-messages.ts'

const tell = (message: FromThread) => parentPort!.postMessage(message)
const { store } = workerData as ThreadSettings
const measure = createMeasurer(
  store && openBaseStore({ ...store, onProblem: (why) => tell({ type: 'problem', why }) }),
)

parentPort!.on('message', (task: Task) => {
  measure(task).then(
    (measured) => {
      if (measured?.isDecomposed) freeMatrices(task.shape)
      tell({ type: 'measured', measured })
    },
    () => tell({ type: 'failed' }),
  )
})
