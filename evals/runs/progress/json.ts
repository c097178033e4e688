/** @file `--json`: every event as one line of JSON, and nothing else. */
import type { Sink } from '../../contract/job.ts'

export function createJsonReporter(write: (text: string) => void): Sink {
  return { event: (event) => write(`${JSON.stringify(event)}\n`) }
}
