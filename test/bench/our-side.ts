/** @file Our engine's child process, and the folder with the random model that both sides read. */
import { rmSync } from 'node:fs'
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { z } from 'zod'
import { startLineProcess, type LineProcess } from './line-process.ts'
import { SMOLLM2_135M, writeRandomAdapter, writeRandomModel } from './random-model.ts'
import type { Work } from './works.ts'

export const SEED = 1
/** The first repetitions are cold: pages are touched and arenas grow. */
export const SKIPPED = 2

export interface Inputs {
  readonly folder: string
  readonly model: string
  readonly adapter: string
}

/** Runs `body` with the random model and adapter on disk and removes them afterwards, also when it is interrupted. */
export async function withInputs(
  layers: number,
  body: (inputs: Inputs) => Promise<void>,
): Promise<void> {
  const folder = await mkdtemp(join(tmpdir(), 'touchstone-bench-'))
  const inputs = { folder, model: join(folder, 'model'), adapter: join(folder, 'adapter') }
  process.on('exit', () => rmSync(folder, { recursive: true, force: true }))
  process.on('SIGINT', () => process.exit(130))
  process.on('SIGTERM', () => process.exit(143))
  const size = { ...SMOLLM2_135M, layers }
  await writeRandomModel(inputs.model, size, SEED)
  await writeRandomAdapter(inputs.adapter, inputs.model, size, SEED)
  await body(inputs)
}

const Ready = z.object({
  ready: z.literal(true),
  nodes: z.number(),
  buildMs: z.number(),
  arithmetic: z.string(),
})

export interface OurProcess extends LineProcess {
  readonly nodes: number
  readonly buildMs: number
  /** `native, …` where the addon was built and allowed, else `typescript`. */
  readonly arithmetic: string
}

export async function startOurs(
  { does, native }: Pick<Work, 'does' | 'native'>,
  { model, adapter }: Inputs,
  threads: number,
  profile?: string,
): Promise<OurProcess> {
  const args = [
    '--disable-warning=ExperimentalWarning',
    fileURLToPath(new URL('child.ts', import.meta.url)),
    ...['--work', does, '--model', model, '--threads', String(threads)],
    ...(does === 'lora-step' ? ['--adapter', adapter] : []),
    ...(profile === undefined ? [] : ['--profile', profile]),
  ]
  const env: Record<string, string> = native ? {} : { TOUCHSTONE_NATIVE: 'off' }
  const started = await startLineProcess(process.execPath, args, env)
  const { nodes, buildMs, arithmetic } = Ready.parse(started.greeting)
  return { ...started, nodes, buildMs, arithmetic }
}
