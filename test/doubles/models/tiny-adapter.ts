/** @file A random LoRA adapter for every linear layer of a tiny Llama. */
import { mkdtemp } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import type { FineTuneMethod } from '../../../evals/finetune/method.ts'
import { xLora } from '../../../evals/finetune/methods/x-lora.ts'
import { writePeftFolder, type PeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { loadModel } from '../../../evals/models/load.ts'
import type { Model } from '../../../evals/models/registry.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

interface Options {
  readonly alpha?: number
  readonly seed?: number
  readonly rank?: number
}

/** The change is a few tenths of the weights. */
export function tinyAdapter(
  { weights }: Pick<Model, 'weights'>,
  base: string,
  { alpha = 8, seed = 1, rank = 4 }: Options = {},
): PeftFolder {
  const sites = [...weights.values()].filter(({ module }) => module !== undefined)
  const tensors = sites.flatMap(({ name, shape }) => {
    const [out, input] = shape as [number, number]
    const module = name.slice(0, -'.weight'.length)
    const normal = (label: string, rows: number, columns: number) => {
      const stream = randomStream(seed, `${module}.${label}`)
      const draw = () => stream.normal() / Math.sqrt(columns)
      const data = Float32Array.from({ length: rows * columns }, draw)
      return [`${module}.${label}.weight`, { shape: [rows, columns], data }] as const
    }
    return [normal('lora_A', rank, input), normal('lora_B', out, rank)]
  })
  const targetModules = [...new Set(sites.map(({ module }) => module!))]
  return { config: { base, rank, alpha, targetModules }, tensors: new Map(tensors) }
}

/** Writes the folder and returns its path. */
export async function writeTinyAdapter(
  folder: string,
  base: string,
  options: Options = {},
): Promise<string> {
  const { open, model } = await loadModel(base)
  await open.close()
  await writePeftFolder(folder, tinyAdapter(model, base, options))
  return folder
}

/** Two adapters of a model, of ranks 2 and `rank`, written to folders of their own. */
export const tinyExperts = (model: Pick<Model, 'weights'>, rank = 2): Promise<string[]> =>
  Promise.all(
    [2, rank].map(async (own, seed) => {
      const path = await mkdtemp(join(tmpdir(), 'touchstone-expert-'))
      await writePeftFolder(path, tinyAdapter(model, 'the base', { rank: own, seed }))
      return path
    }),
  )

/** A configuration of rank 2, with adapters where the method mixes some. */
export const smallConfig = async (
  method: Pick<FineTuneMethod, 'name'>,
  model: Pick<Model, 'weights'>,
): Promise<object> => ({
  rank: 2,
  ...(method.name === xLora.name && { adapters: await tinyExperts(model) }),
})
