/** @file LoRA arms of one base that answer the same prompts: in one pass, and one by one as a single candidate is measured. */
import { join } from 'node:path'
import { openCached } from '../../../evals/inference/cached-graph.ts'
import { createPanel } from '../../../evals/inference/panel.ts'
import { openStack } from '../../../evals/inference/stack.ts'
import { tokenModel, type TokenModel } from '../../../evals/inference/token-model.ts'
import { readPeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { adaptedWeights, type TunedWeights } from '../../../evals/models/weights/tuned-weights.ts'
import type { Device } from '../../../evals/runtime/device.ts'
import { readModel, type Loaded } from './open-work.ts'
import { writeRandomAdapter, writeRandomModel, type LlamaSize } from './random-model.ts'
import { equalLengths, tokenRows } from './works.ts'

export const ANSWERS = { length: 32, newTokens: 16 } as const
/** The product's own. */
const BATCH = 16
const LONGEST = ANSWERS.length + ANSWERS.newTokens

const pathsIn = (folder: string) => ({
  model: join(folder, 'model'),
  arm: (k: number) => join(folder, `arm-${k}`),
})

export async function writeArms(folder: string, size: LlamaSize, count: number): Promise<void> {
  const { model, arm } = pathsIn(folder)
  await writeRandomModel(model, size, 1)
  for (let k = 0; k < count; k++) await writeRandomAdapter(arm(k), model, size, 1000 * (k + 1))
}

export interface Asked {
  readonly loaded: Loaded
  readonly arms: readonly TunedWeights[]
  readonly prompts: number
  readonly device: Device
}

/** The first `count` arms of the folder. */
export async function readArms(
  folder: string,
  count: number,
): Promise<Pick<Asked, 'loaded' | 'arms'>> {
  const { model, arm } = pathsIn(folder)
  const loaded = await readModel({ model, precision: 'fp32' })
  const arms: TunedWeights[] = []
  for (let k = 0; k < count; k++)
    arms.push(adaptedWeights(loaded.weights, await readPeftFolder(arm(k)), arm(k)))
  return { loaded, arms }
}

/** What a side did, its time, and how much of it went by before anything was asked. */
export interface Side {
  readonly tokens: readonly (readonly number[])[][]
  readonly ms: number
  readonly openMs: number
}

async function answered(model: TokenModel, rows: readonly (readonly number[])[]) {
  const decoding = { maxNewTokens: ANSWERS.newTokens, temperature: 0, seed: 0 }
  const writing = { decoding, endIds: new Set<number>(), signal: new AbortController().signal }
  const prompts = rows.map((ids, i) => ({ key: String(i), ids }))
  const tokens: (readonly number[])[] = []
  for await (const some of model.generate(prompts, writing))
    for (const { index, tokenIds } of some) tokens[index] = tokenIds
  return tokens
}

const rowsOf = ({ loaded, prompts }: Asked) =>
  tokenRows(equalLengths({ rows: prompts, length: ANSWERS.length }), loaded.vocab)

/** The base's own weights, in a session of its own. */
export const baseAlone = (asked: Asked): Promise<Side> => inSessions(asked, [asked.loaded.weights])

/** The adapter of each merged, in a session of its own. */
export const oneByOne = (asked: Asked): Promise<Side> =>
  inSessions(
    asked,
    asked.arms.map((arm) => ({
      get: (name: string) => arm.read(name),
    })),
  )

type Weights = { readonly get: (name: string) => Float32Array | undefined }

async function inSessions(asked: Asked, all: readonly Weights[]): Promise<Side> {
  const { model } = asked.loaded
  const tokens: (readonly number[])[][] = []
  const started = performance.now()
  let openMs = 0
  for (const weights of all) {
    const began = performance.now()
    const frozen = new Map([...model.weights.keys()].map((name) => [name, weights.get(name)!]))
    const session = await openCached({ model, frozen }, asked.device, LONGEST)
    await session.nodes('next')
    openMs += performance.now() - began
    const shared = { session, varying: {}, padId: 0, batchSize: BATCH }
    tokens.push(await answered(tokenModel(shared), rowsOf(asked)))
    await session.release()
  }
  return { tokens, ms: performance.now() - started, openMs }
}

export async function onePass(asked: Asked): Promise<Side> {
  const { model, weights: frozen } = asked.loaded
  const adapters = asked.arms.map(({ lowRank }) => lowRank!)
  const started = performance.now()
  const names = new Set(adapters[0]!.keys())
  const stack = await openStack({ model, frozen }, names, asked.device, LONGEST)
  const session = stack.with(adapters)
  await session.nodes('next')
  const openMs = performance.now() - started
  const panel = createPanel({ session, count: adapters.length, padId: 0, batchSize: BATCH })
  const tokens: (readonly number[])[][] = []
  for (const k of adapters.keys()) tokens.push(await answered(panel.member(k), rowsOf(asked)))
  const ms = performance.now() - started
  await stack.release()
  return { tokens, ms, openMs }
}
