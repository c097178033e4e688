/** @file A random LoRA adapter for every linear layer of a tiny Llama. */
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { loadModel } from '../../../evals/models/load.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

/** Writes the folder and returns its path. The change is a few tenths of the weights. */
export async function writeTinyAdapter(
  folder: string,
  base: string,
  { alpha = 8, seed = 1 }: { alpha?: number; seed?: number } = {},
): Promise<string> {
  const rank = 4
  const { open, model } = await loadModel(base)
  await open.close()
  const sites = [...model.weights.values()].filter(({ module }) => module !== undefined)
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
  const config = { base, rank, alpha, targetModules }
  await writePeftFolder(folder, { config, tensors: new Map(tensors) })
  return folder
}
