/** @file A PEFT folder with random numbers, large enough that its base answers otherwise. */
import type { Model } from '../../../evals/models/registry.ts'
import { writePeftFolder } from '../../../evals/models/formats/peft-folder.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

export interface DrawnAdapter {
  readonly seed: number
  readonly rank: number
  readonly modules: readonly string[]
  /** With DoRA's. */
  readonly magnitudes?: true
}

/** Writes `folder` and gives its path. */
export async function writeDrawnAdapter(
  folder: string,
  { weights }: Pick<Model, 'weights'>,
  { seed, rank, modules, magnitudes }: DrawnAdapter,
): Promise<string> {
  const { normal } = randomStream(seed, 'adapter')
  const tensor = (shape: readonly number[], size: number, mean = 0) => ({
    shape,
    data: Float32Array.from(
      { length: shape.reduce((a, b) => a * b) },
      () => mean + size * normal(),
    ),
  })
  const tensors = [...weights.values()].flatMap(({ name, module, shape }) => {
    if (!modules.includes(module ?? '')) return []
    const [out, width] = shape as [number, number]
    const layer = name.slice(0, -'.weight'.length)
    return [
      [`${layer}.lora_A.weight`, tensor([rank, width], 1 / Math.sqrt(width))] as const,
      [`${layer}.lora_B.weight`, tensor([out, rank], 0.05)] as const,
      ...(magnitudes ? [[`${layer}.lora_magnitude_vector`, tensor([out], 0.01, 1)] as const] : []),
    ]
  })
  const config = { base: 'pebble', rank, alpha: 3, targetModules: [...modules] }
  await writePeftFolder(folder, {
    config: { ...config, useDora: magnitudes ?? false },
    tensors: new Map(tensors),
  })
  return folder
}
