/** @file The `touchstone` command as a child process that speaks lines of JSON. */
import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { join } from 'node:path'
import { createInterface } from 'node:readline'
import type { WireError } from '../../contract/wire-error.ts'

export interface Line {
  readonly type: string
}

interface Ended {
  /** What the command named as the reason. */
  readonly error: WireError | undefined
  /** The end of its error stream. */
  readonly said: string
}

const COMMAND = join(import.meta.dirname, '..', 'touchstone.js')
/** Characters kept of the end of its error stream. */
const KEPT_CHARACTERS = 400

/** Resolves when the process has ended, whatever its exit code. An abort asks it to stop at its next safe point. */
export async function speak(
  words: readonly string[],
  signal: AbortSignal | undefined,
  hear: (line: Line) => void,
): Promise<Ended> {
  signal?.throwIfAborted()
  const child = spawn(process.execPath, [COMMAND, ...words], { stdio: ['ignore', 'pipe', 'pipe'] })
  const closed = once(child, 'close')
  const stop = () => void child.kill('SIGTERM')
  signal?.addEventListener('abort', stop)
  let said = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS)
  })
  let error: WireError | undefined
  try {
    for await (const text of createInterface({ input: child.stdout })) {
      const line = JSON.parse(text) as Line
      if (line.type === 'error') error = line as Line & WireError
      hear(line)
    }
    await closed
  } finally {
    signal?.removeEventListener('abort', stop)
    child.kill('SIGTERM')
  }
  return { error, said: said.trim() }
}
