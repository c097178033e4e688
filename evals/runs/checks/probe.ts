/** @file A script of this folder on its own Node: a driver that crashes takes only that process with it. */
import { spawn } from 'node:child_process'
import { join } from 'node:path'
import type { z } from 'zod'

interface Probed<T> {
  /** What it printed, if that was what was expected; else undefined. */
  readonly found: T | undefined
  /** What it, and ONNX Runtime in it, wrote on its error stream. */
  readonly told: string
  /** How it ended, in words. */
  readonly ended: string
}

/** Never rejects: a process that crashed or hung is a finding. */
export function probe<T>(
  script: string,
  args: readonly string[],
  schema: z.ZodType<T>,
  milliseconds: number,
): Promise<Probed<T>> {
  const path = join(import.meta.dirname, script)
  const child = spawn(process.execPath, ['--disable-warning=ExperimentalWarning', path, ...args], {
    stdio: ['ignore', 'pipe', 'pipe'],
    timeout: milliseconds,
    killSignal: 'SIGKILL',
  })
  let [text, told] = ['', '']
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => (text += chunk))
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => (told += chunk))
  return new Promise((resolve) => {
    child.on('error', ({ message }) => resolve({ found: undefined, told, ended: message }))
    child.on('close', (code, signal) => {
      const found = schema.safeParse(jsonOf(text)).data
      resolve({ found, told, ended: `the attempt ended with ${signal ?? `exit code ${code}`}` })
    })
  })
}

function jsonOf(text: string): unknown {
  try {
    return JSON.parse(text)
  } catch {
    return undefined
  }
}

/** ONNX Runtime names the library that it could not load in its error, or on its error stream alone. */
export function missingLibrary(told: string): string | undefined {
  const missing = /(?<library>[\w.+-]+\.(so|dll|dylib)[\w.]*): cannot open shared object file/.exec(
    told,
  )
  return missing?.groups!['library']
}
