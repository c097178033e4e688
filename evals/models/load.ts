/**
 * @file An opened model with its architecture recognised and its weights at hand: those of a float type stay in their file,
 * the others are in memory, in float32 or smaller.
 */
import type { Checkpoint, OpenModel, WeightPlace } from './checkpoint.ts'
import { openModel } from './open-model.ts'
import { recognise, type Model } from './registry.ts'
import {
  KeptWeights,
  shrunk,
  storageOf,
  type Precision,
  type SmallWeight,
} from './small-weights.ts'
import { elementsOfAll } from './stored-weights.ts'
import { asComputed } from './weight-list.ts'

export interface LoadedModel {
  readonly open: OpenModel
  readonly model: Model
  /** In float32; made when they are asked for (`KeptWeights`), as long as the model is open. */
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly parameters: number
}

export async function loadModel(path: string, precision: Precision = 'fp32'): Promise<LoadedModel> {
  const open = await openModel(path)
  try {
    const model = recognise(open.checkpoint)
    const weights = await weightsOf(open.checkpoint, model, precision)
    return { open, model, weights, parameters: elementsOfAll(model.weights.values()) }
  } catch (error) {
    await open.close()
    throw error
  }
}

/** The weights of `model`, as long as the checkpoint is open. */
export async function weightsOf(
  checkpoint: Checkpoint,
  model: Model,
  precision: Precision,
): Promise<ReadonlyMap<string, Float32Array>> {
  const whole = new Map<string, Float32Array>()
  const small = new Map<string, SmallWeight>()
  const places = new Map<string, WeightPlace>()
  for (const spec of model.weights.values()) {
    const stored = spec.stored ?? spec.name
    const storage = storageOf(spec, precision)
    const place = storage || spec.transposed ? undefined : checkpoint.place(stored)
    if (place) places.set(spec.name, place)
    if (place) continue
    const data = asComputed(await checkpoint.read(stored), spec)
    if (storage) small.set(spec.name, shrunk(data, spec.shape[0]!, storage))
    else whole.set(spec.name, data)
  }
  const read = (name: string) =>
    whole.get(name) ?? checkpoint.readNow(model.weights.get(name)!.stored ?? name)
  return new KeptWeights(model.weights.keys(), small, read, places)
}
