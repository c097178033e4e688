/** @file Processes of the engine's own: started on the Node that can run it, listened to, and never left behind. */
import { fork, type ChildProcess } from 'node:child_process'
import { join } from 'node:path'
import { childNode } from '../runtime/child-node.ts'

export interface Child<In, Out> {
  tell(message: In): void
  kill(): void
  /** Resolves when it has ended: with `null`, or with how where it did not end by itself. */
  readonly ended: Promise<string | null>
  onMessage(listener: (message: Out) => void): void
}

/** Of what it wrote on its error stream, the end is told. */
const KEPT_CHARACTERS = 400

/** `script` lies beside this file. */
export function startChild<In extends object, Out>(
  script: string,
  words: readonly string[],
): Child<In, Out> {
  const child: ChildProcess = fork(join(import.meta.dirname, script), [...words], {
    execPath: childNode(),
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'ignore', 'pipe', 'ipc'],
    serialization: 'advanced',
  })
  let said = ''
  child.stderr!.setEncoding('utf8').on('data', (text: string) => {
    said = (said + text).slice(-KEPT_CHARACTERS)
  })
  const ended = new Promise<string | null>((resolve) => {
    child.once('error', (error) => resolve(error.message))
    child.once('exit', (code, signal) => {
      const words = said.trim() === '' ? '' : `: ${said.trim()}`
      resolve(code === 0 ? null : `${signal ?? `exit code ${code}`}${words}`)
    })
  })
  return {
    tell: (message) => {
      // Where it goes meanwhile, `ended` says so.
      if (child.connected) child.send(message, () => undefined)
    },
    kill: () => void child.kill('SIGKILL'),
    ended,
    onMessage: (listener) => void child.on('message', (message) => listener(message as Out)),
  }
}
