/** @file An opened model with its architecture recognised and its weights in memory, in float32. */
import type { OpenModel } from './checkpoint.ts'
import { openModel } from './open-model.ts'
import { recognise, type Model } from './registry.ts'
import { asComputed } from './weight-list.ts'

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
    for (const spec of model.weights.values())
      weights.set(spec.name, asComputed(await open.checkpoint.read(spec.stored ?? spec.name), spec))
    const parameters = [...weights.values()].reduce((sum, { length }) => sum + length, 0)
    return { open, model, weights, parameters }
  } catch (error) {
    await open.close()
    throw error
  }
}
