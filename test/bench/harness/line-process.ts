/** @file A process that is asked in JSON lines and answers in JSON lines, one after the other. */
import { spawn } from 'node:child_process'
import { createInterface } from 'node:readline'
import type { z } from 'zod'
import { watchMemory, type Memory } from './measure.ts'

export interface LineProcess {
  readonly pid: number
  /** What it said when it was ready. */
  readonly greeting: unknown
  /** Its peaks since it began; null where the system has no /proc. */
  memory(): Memory | null
  /** The answer to `command`, checked against `schema`. */
  ask<T>(command: object, schema: z.ZodType<T>): Promise<T>
  /** Asks it to end and waits until it has. */
  quit(): Promise<void>
}

/** Resolves at the first line. Rejects with its exit code, as `ProcessEnded`, if it ends before that. */
export async function startLineProcess(
  command: string,
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
): Promise<LineProcess> {
  const child = spawn(command, args, {
    env: { ...process.env, ...env },
    stdio: ['pipe', 'pipe', 'pipe'],
  })
  const watched = watchMemory(child.pid ?? -1)
  let complaint = ''
  child.stderr.setEncoding('utf8').on('data', (text: string) => {
    complaint = (complaint + text).slice(-4000)
  })
  // A broken pipe shows as the end of the process, which says more.
  child.stdin.on('error', () => {})
  const ended = new Promise<never>((_, reject) => {
    const ends = (problem: ProcessEnded) => {
      watched.stop()
      reject(problem)
    }
    child.on('error', (error) => ends(new ProcessEnded(null, error.message)))
    child.on('close', (code) => ends(new ProcessEnded(code, complaint.trim())))
  })
  ended.catch(() => {})
  const lines = createInterface({ input: child.stdout })[Symbol.asyncIterator]()
  const nextLine = async (): Promise<unknown> => {
    const { value, done } = await Promise.race([lines.next(), ended])
    return done ? await ended : JSON.parse(value)
  }
  const greeting = await nextLine()
  return {
    pid: child.pid!,
    greeting,
    memory: () => watched.seen(),
    async ask(request, schema) {
      child.stdin.write(`${JSON.stringify(request)}\n`)
      const answer = await nextLine()
      if (answer instanceof Object && 'error' in answer)
        throw new Error(`${command} answered: ${String(answer.error)}`)
      return schema.parse(answer)
    },
    async quit() {
      child.stdin.end('{"work": "quit"}\n')
      await ended.catch(() => {})
    },
  }
}

export class ProcessEnded extends Error {
  readonly code: number | null
  /** The end of what it wrote to stderr. */
  readonly complaint: string
  constructor(code: number | null, complaint: string) {
    super(`the process ended with ${code ?? 'no exit code'}: ${complaint}`)
    this.code = code
    this.complaint = complaint
  }
}
