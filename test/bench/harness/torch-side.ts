/** @file The peer's child process: PyTorch, transformers and PEFT under the Python that is at hand. */
import { existsSync } from 'node:fs'
import { delimiter, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { ProcessEnded, startLineProcess, type LineProcess } from './line-process.ts'
import { isLora, modelFor, type Inputs, type Read } from './our-side.ts'
import type { Work } from './works.ts'

const SCRIPT = fileURLToPath(new URL('../peers/bench_torch.py', import.meta.url))
const TASK_SCRIPT = fileURLToPath(new URL('../peers/bench_tasks.py', import.meta.url))
/** What the peer exits with where a library is missing. */
const SKIPPED = 3

/**
 * How OpenMP's threads wait for work: `default` lets the library choose, `passive` sleeps at once. Which of them is
 * faster depends on the machine, so both are tried and the peer gets its better one.
 */
export const WAITS = ['default', 'passive'] as const
export type Wait = (typeof WAITS)[number]

const Ready = z.object({
  ready: z.literal(true),
  attention: z.string(),
  torch: z.string(),
  transformers: z.string(),
  peft: z.string(),
})
type TorchVersions = Pick<z.infer<typeof Ready>, 'torch' | 'transformers' | 'peft'>

export interface TorchProcess extends LineProcess {
  readonly versions: TorchVersions
  readonly attention: string
}

/** The Python to ask: $TOUCHSTONE_PYTHON, else the first on the path; undefined where there is none. */
export function findPython(env: NodeJS.ProcessEnv = process.env): string | undefined {
  if (env.TOUCHSTONE_PYTHON) return env.TOUCHSTONE_PYTHON
  const folders = (env.PATH ?? '').split(delimiter).filter((folder) => folder !== '')
  return ['python3', 'python3.11']
    .flatMap((name) => folders.map((folder) => join(folder, name)))
    .find((path) => existsSync(path))
}

/** A running peer, or the sentence that says why there is none. */
export async function startTorch(
  python: string,
  work: Read & Pick<Work, 'peer'>,
  inputs: Inputs,
  threads: number,
  wait: Wait,
  device = 'cpu',
): Promise<TorchProcess | string> {
  const script = work.does === 'task-step' ? TASK_SCRIPT : SCRIPT
  const args = [script, '--model', modelFor(work, inputs), '--threads', String(threads)]
  if (isLora(work.does)) args.push('--adapter', inputs.adapter)
  if (device !== 'cpu') args.push('--device', device)
  if (work.peer) args.push('--variant', work.peer)
  const env: Record<string, string> = {
    ...(wait === 'passive' && { OMP_WAIT_POLICY: 'PASSIVE' }),
    // What a variant compiles goes with the inputs, and the cold repetitions take its time.
    TORCHINDUCTOR_CACHE_DIR: join(inputs.folder, 'compiled'),
  }
  try {
    const started = await startLineProcess(python, args, env)
    const { attention, torch, transformers, peft } = Ready.parse(started.greeting)
    return { ...started, versions: { torch, transformers, peft }, attention }
  } catch (error) {
    if (!(error instanceof ProcessEnded)) throw error
    if (error.code === SKIPPED) return lastLine(error.complaint)
    if (error.code === null) return `Skipped: ${python} could not be started.`
    throw error
  }
}

const lastLine = (text: string): string => text.split('\n').at(-1)!
