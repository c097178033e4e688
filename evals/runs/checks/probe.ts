/** @file Runs a script of this folder, named without its ending, in its own process, so that a driver that crashes ends only that process. */
import { spawn } from 'node:child_process'
import type { z } from 'zod'
import { scriptBeside } from '../../files/script-beside.ts'

interface Probed<T> {
  /** Its output, if it is as expected; else undefined. */
  readonly found: T | undefined
  /** Its error stream, with ONNX Runtime's. */
  readonly told: string
  /** How it ended, for people. */
  readonly ended: string
}

/** Never rejects: a process that crashed or hung is a finding. */
export function probe<T>(
  script: string,
  args: readonly string[],
  schema: z.ZodType<T>,
  milliseconds: number,
): Promise<Probed<T>> {
  const path = scriptBeside(import.meta.filename, script)
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

/** ONNX Runtime names a library that it cannot load in its error or only on its error stream. */
export function missingLibrary(told: string): string | undefined {
  const missing = /(?<library>[\w.+-]+\.(so|dll|dylib)[\w.]*): cannot open shared object file/.exec(
    told,
  )
  return missing?.groups!['library']
}
