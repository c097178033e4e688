/** @file The thread that watches an event loop: see watchdog.ts. */
import { readFileSync, writeSync } from 'node:fs'
import { workerData } from 'node:worker_threads'
import type { Watched } from './watchdog.ts'

const { turns, patienceMs } = workerData as Watched
/** Linux counts processor time in hundredths of a second. */
const TICK_MS = 10

/** Processor time in milliseconds: of the main thread on Linux, elsewhere of the process. */
function spent(): number {
  try {
    const stat = readFileSync(`/proc/self/task/${process.pid}/stat`, 'latin1')
    // Fields after the name in brackets; the name itself may hold spaces.
    const fields = stat.slice(stat.lastIndexOf(')') + 2).split(' ')
    return TICK_MS * (Number(fields[11]) + Number(fields[12]))
  } catch {
    const { user, system } = process.cpuUsage()
    return (user + system) / 1000
  }
}

let seen = -1
let since = spent()
setInterval(
  () => {
    const now = Atomics.load(turns, 0)
    if (now !== seen) {
      seen = now
      since = spent()
      return
    }
    if (spent() - since <= patienceMs) return
    writeSync(2, `it did not come back from a call in ${patienceMs / 1000} s of processor time\n`)
    process.kill(process.pid, 'SIGKILL')
  },
  Math.min(1000, patienceMs / 4),
)
