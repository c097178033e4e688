/** @file A random LoRA adapter of a base, as a PEFT folder. */
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import type { Model } from '../../../evals/models/registry.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

/** @param size of the change, as the spread of its B */
export async function writeAdapter(
  folder: string,
  { weights }: Pick<Model, 'weights'>,
  { seed, rank = 8, size = 0.05 }: { seed: number; rank?: number; size?: number },
): Promise<string> {
  const linear = [...weights.values()].filter(({ module }) => module !== undefined)
  const tensors = new Map(
    linear.flatMap(({ name, shape }) => {
      const module = name.slice(0, -'.weight'.length)
      const [out, columns] = shape as [number, number]
      const stream = randomStream(seed, module)
      const draw = (dims: readonly [number, number], spread: number) => ({
        shape: dims,
        data: Float32Array.from({ length: dims[0] * dims[1] }, () => spread * stream.normal()),
      })
      return [
        [`${module}.lora_A.weight`, draw([rank, columns], 1 / Math.sqrt(columns))],
        [`${module}.lora_B.weight`, draw([out, rank], size)],
      ] as const
    }),
  )
  const targetModules = [...new Set(linear.map(({ module }) => module!))]
  await writePeftFolder(folder, { config: { base: '', rank, alpha: rank, targetModules }, tensors })
  return folder
}
