/** @file The command line in this process, with its streams caught. */
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { CommandEntry } from '../../../evals/cli/command.ts'
import { main } from '../../../evals/cli/main.ts'
import { FAKE_COMMANDS } from './fake-job.ts'

interface Ran {
  readonly code: number
  readonly stdout: string
  readonly stderr: string
}

export async function runCommand(
  argv: readonly string[],
  environment: Readonly<Record<string, string>> = {},
  commands: readonly CommandEntry[] = FAKE_COMMANDS,
): Promise<Ran> {
  const [stdout, stderr] = [[] as string[], [] as string[]]
  const stream = (lines: string[]) => ({ write: (text: string) => lines.push(text) })
  const code = await main(argv, commands, {
    stdout: stream(stdout),
    stderr: stream(stderr),
    environment,
  })
  return { code, stdout: stdout.join(''), stderr: stderr.join('') }
}

export const freshFolder = (): string => mkdtempSync(join(tmpdir(), 'touchstone-cli-'))
