/** @file Our engine's child process, and the folder with the random model that both sides read. */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startLineProcess, type LineProcess } from './line-process.ts'
import {
  roundedToInt8,
  SMOLLM2_135M,
  writeRandomAdapter,
  writeRandomModel,
} from './random-model.ts'
import { writeTaskInputs } from './task-inputs.ts'
import type { Work, WorkName } from './works.ts'

export const SEED = 1
/** The first repetitions are cold: pages are touched and arenas grow. */
export const SKIPPED = 2

export interface Inputs {
  readonly folder: string
  readonly model: string
  /** The same, its matrices rounded to what int8 with a scale a row can say, in float32. */
  readonly rounded: string
  readonly adapter: string
}

/** What of a work says which folder is read; a task's work is read by its name. */
export type Read = Pick<Work, 'does' | 'precision'> & Partial<Pick<Work, 'name'>>

/** The folder that both sides of this work read. */
export function modelFor({ name = '', does, precision }: Read, inputs: Inputs): string {
  if (does === 'task-step') return join(inputs.folder, name)
  return precision === 'fp32' ? inputs.model : inputs.rounded
}

/** Runs `body` with the random model and adapter on disk and removes them afterwards, also when it is interrupted. */
export async function withInputs(
  layers: number,
  works: readonly Work[],
  body: (inputs: Inputs) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-'))
  const at = (name: string) => join(folder, name)
  const inputs = { folder, model: at('model'), rounded: at('rounded'), adapter: at('adapter') }
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  for (const { name, does } of works)
    if (does === 'task-step') await writeTaskInputs(at(name), name)
  if (works.every(({ does }) => does === 'task-step')) return body(inputs)
  const size = { ...SMOLLM2_135M, layers }
  await writeRandomModel(inputs.model, size, SEED)
  if (works.some(({ precision }) => precision !== 'fp32'))
    await writeRandomModel(inputs.rounded, size, SEED, 'F32', roundedToInt8)
  await writeRandomAdapter(inputs.adapter, inputs.model, size, SEED)
  await body(inputs)
}

export const isLora = (work: WorkName): boolean => work.startsWith('lora-')

const Ready = z.object({
  ready: z.literal(true),
  nodes: z.number(),
  buildMs: z.number(),
  arithmetic: z.string(),
})

interface OurProcess extends LineProcess {
  readonly nodes: number
  readonly buildMs: number
  /** `native, …` where the addon was built and allowed, else `typescript`. */
  readonly arithmetic: string
}

export async function startOurs(
  work: Omit<Work, 'name' | 'title'> & Read,
  inputs: Inputs,
  threads: number,
  profile?: string,
  device = 'cpu',
): Promise<OurProcess> {
  const { does, native, checkpointing, precision, forward } = work
  const args = [
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('child.ts', import.meta.url)),
    ...['--work', does, '--model', modelFor(work, inputs), '--threads', String(threads)],
    ...['--device', device],
    ...['--precision', precision, ...(checkpointing ? ['--checkpointing'] : [])],
    ...(forward ? ['--forward', forward] : []),
    ...(isLora(does) ? ['--adapter', inputs.adapter] : []),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ]
  const env: Record<string, string> = native ? {} : { TOUCHSTONE_NATIVE: 'off' }
  const started = await startLineProcess(process.execPath, args, env)
  const { nodes, buildMs, arithmetic } = Ready.parse(started.greeting)
  return { ...started, nodes, buildMs, arithmetic }
}
