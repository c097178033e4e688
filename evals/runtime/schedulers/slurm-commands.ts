/** @file Slurm's own commands: what is sent to each, and what of its answer is used. */
import { execFile } from 'node:child_process'
import { promisify } from 'node:util'
import { TouchstoneError } from '../../errors/touchstone-error.ts'

/** A task in the queue. */
export interface Queued {
  /** The number of its job array. */
  readonly array: string
  /** How often it was put back into the queue. */
  readonly restarts: number
  /** Why it waits, in Slurm's words; `None` while it runs. */
  readonly reason: string
}

const run = promisify(execFile)

async function slurmCommand(name: string, words: readonly string[]): Promise<string> {
  try {
    const { stdout } = await run(name, words, { maxBuffer: 2 ** 26 })
    return stdout
  } catch (error) {
    const { code, stderr = '', message } = error as Error & { code?: unknown; stderr?: string }
    if (code === 'ENOENT') throw new TouchstoneError('slurm.missing', { command: name })
    const said = stderr.trim() || message
    throw new TouchstoneError('slurm.refused', { command: name, said })
  }
}

/** The number of the job array. */
export async function submit(words: readonly string[]): Promise<string> {
  const answer = await slurmCommand('sbatch', ['--parsable', ...words])
  return answer.trim().split(';')[0]!
}

/** A controller may be started anew while jobs go on: its silence is waited out. */
const ATTEMPTS_TO_ASK = 30
const FIELDS = 'Name:255,ArrayJobID:20,ArrayTaskID:20,RestartCnt:10,Reason:60'

/** Tasks of jobs whose names begin with `prefix`, by what follows it and their index: `4-17`. */
export async function queueOf(prefix: string): Promise<Map<string, Queued>> {
  const words = ['--me', '--noheader', '--array', `--Format=${FIELDS}`]
  const answer = await patiently(() => slurmCommand('squeue', words))
  const queue = new Map<string, Queued>()
  for (const line of answer.split('\n')) {
    const [name, array, index, restarts, ...reason] = line.trim().split(/\s+/u)
    if (!name?.startsWith(prefix)) continue
    queue.set(`${name.slice(prefix.length)}-${index}`, {
      array: array!,
      restarts: Number(restarts),
      reason: reason.join(' '),
    })
  }
  return queue
}

async function patiently<R>(ask: () => Promise<R>): Promise<R> {
  for (let attempt = 1; ; attempt++) {
    try {
      return await ask()
    } catch (error) {
      const isSilent = error instanceof TouchstoneError && error.code === 'slurm.refused'
      if (!isSilent || attempt >= ATTEMPTS_TO_ASK) throw error
      await new Promise((resolve) => setTimeout(resolve, Math.min(10_000, 250 * 2 ** attempt)))
    }
  }
}

/** How a job that left the queue ended, while the controller still knows. */
export async function stateOf(job: string): Promise<string | undefined> {
  const answer = await slurmCommand('scontrol', ['--oneliner', 'show', 'job', job]).catch(() => '')
  const [, state] = /\bJobState=(\S+)/u.exec(answer) ?? []
  const [, exit] = /\bExitCode=(\S+)/u.exec(answer) ?? []
  return state && `${state}, exit code ${exit}`
}

export async function cancel(arrays: readonly string[]): Promise<void> {
  await slurmCommand('scancel', arrays)
}

/** Tasks that one array may hold. */
export async function largestArray(): Promise<number> {
  const answer = await slurmCommand('scontrol', ['show', 'config'])
  const [, most] = /^MaxArraySize\s*=\s*(\d+)/mu.exec(answer) ?? []
  return Number(most ?? 1001) - 1
}
