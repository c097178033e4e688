/** @file An opened model with its architecture recognised and its weights in memory, in float32. */
import type { OpenModel } from './checkpoint.ts'
import { openModel } from './open-model.ts'
import { recognise, type Model } from './registry.ts'

export interface LoadedModel {
  readonly open: OpenModel
  readonly model: Model
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly parameters: number
}

export async function loadModel(path: string): Promise<LoadedModel> {
  const open = await openModel(path)
  try {
    const model = recognise(open.checkpoint)
    const weights = new Map<string, Float32Array>()
    for (const name of model.weights.keys()) weights.set(name, await open.checkpoint.read(name))
    const parameters = [...weights.values()].reduce((sum, { length }) => sum + length, 0)
    return { open, model, weights, parameters }
  } catch (error) {
    await open.close()
    throw error
  }
}
