/** @file An opened model with its architecture recognised and its weights in memory, in float32 or smaller. */
import type { OpenModel } from './checkpoint.ts'
import { openModel } from './open-model.ts'
import { recognise, type Model } from './registry.ts'
import {
  KeptWeights,
  shrunk,
  storageOf,
  type Precision,
  type SmallWeight,
} from './small-weights.ts'
import { elementsOf } from './stored-weights.ts'
import { asComputed } from './weight-list.ts'

export interface LoadedModel {
  readonly open: OpenModel
  readonly model: Model
  /** In float32; those that are kept smaller are made when they are asked for (`KeptWeights`). */
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly parameters: number
}

export async function loadModel(path: string, precision: Precision = 'fp32'): Promise<LoadedModel> {
  const open = await openModel(path)
  try {
    const model = recognise(open.checkpoint)
    const specs = [...model.weights.values()]
    const whole = new Map<string, Float32Array>()
    const small = new Map<string, SmallWeight>()
    for (const spec of specs) {
      const data = asComputed(await open.checkpoint.read(spec.stored ?? spec.name), spec)
      const storage = storageOf(spec, precision)
      if (storage) small.set(spec.name, shrunk(data, spec.shape[0]!, storage))
      else whole.set(spec.name, data)
    }
    const parameters = specs.reduce((sum, { shape }) => sum + elementsOf(shape), 0)
    if (small.size === 0) return { open, model, weights: whole, parameters }
    const weights = new KeptWeights(model.weights.keys(), small, (name) => whole.get(name)!)
    return { open, model, weights, parameters }
  } catch (error) {
    await open.close()
    throw error
  }
}
