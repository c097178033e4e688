/** @file Child processes of the engine, started on a Node that can run it, with messages both ways. */
import { fork, type ChildProcess } from 'node:child_process'
import { scriptBeside } from '../files/script-beside.ts'
import { childNode } from '../runtime/child-node.ts'

export interface Child<In, Out> {
  send(message: In): void
  kill(): void
  /** Resolves at its end: `null` after exit code 0, else the signal or exit code and the end of its error stream. */
  readonly ended: Promise<string | null>
  onMessage(listener: (message: Out) => void): void
}

/** Characters kept of the end of its error stream. */
const KEPT_CHARACTERS = 400

/** `script`: a file of this folder, without its ending. `words`: its arguments. */
export function startChild<In extends object, Out>(
  script: string,
  words: readonly string[],
): Child<In, Out> {
  const child: ChildProcess = fork(scriptBeside(import.meta.filename, script), [...words], {
    execPath: childNode(),
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let errors = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    errors = (errors + text).slice(-KEPT_CHARACTERS)
  })
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => {
      const why = errors.trim() === '' ? '' : `: ${errors.trim()}`
      resolve(code === 0 ? null : `${signal ?? `exit code ${code}`}${why}`)
    })
  })
  return {
    send: (message) => {
      // A process that ends meanwhile resolves `ended`.
      if (child.connected) child.send(message, () => undefined)
    },
    kill: () => void child.kill('SIGKILL'),
    ended,
    onMessage: (listener) => void child.on('message', (message) => listener(message as Out)),
  }
}
