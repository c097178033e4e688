/**
 * @file Opens a model with its architecture and weights. Float weights stay in their file; others are converted once into a
 * cache, or held in memory in float32 or smaller.
 */
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { BLOCK_FORMS, isBlockName } from '../graph/storage/blocks.ts'
import type { WeightSpec } from './architecture.ts'
import type { Checkpoint, OpenModel } from './checkpoint.ts'
import type { TemplateVariables } from './text/template-variables.ts'
import type { WeightPlace } from './weights/storage.ts'
import {
  isKept,
  openConverted,
  type ConvertedWeights,
  type WeightCache,
} from './weights/converted-weights.ts'
import { load } from '../native/load.ts'
import { openModel } from './open-model.ts'
import { recognise, type Model } from './registry.ts'
import {
  isInBlocks,
  LazyWeights,
  quantise,
  storageOf,
  type Precision,
  type SmallWeight,
} from './weights/small-weights.ts'
import { elementsOfAll, mappedFloats } from './weights/stored-weights.ts'
import { asComputed } from './weight-list.ts'

export interface LoadedModel {
  readonly open: OpenModel
  readonly model: Model
  /** In float32, computed on access (`LazyWeights`) or mapped while the model is open. */
  readonly weights: ReadonlyMap<string, Float32Array>
  readonly parameters: number
}

/** @param cache for converted weights in float32; without one they are converted on every load */
export async function loadModel(
  path: string,
  precision: Precision = 'fp32',
  cache?: WeightCache,
  variables: TemplateVariables = {},
): Promise<LoadedModel> {
  const open = await openModel(path, variables)
  let converted: ConvertedWeights | undefined
  const close = async () => {
    await Promise.all([open.close(), converted?.close()])
  }
  try {
    const model = recognise(open.checkpoint)
    requirePrecision(open.checkpoint, model, precision)
    if (cache) converted = await convertedOf(open.checkpoint, model, precision, cache)
    const weights = weightsOf(open.checkpoint, model, precision, converted)
    const parameters = elementsOfAll(model.weights.values())
    return { open: { ...open, close }, model, weights, parameters }
  } catch (error) {
    await close()
    throw error
  }
}

/** Throws where blocks are asked for and the file has none that can be multiplied, or nothing to multiply them with is here. */
export function requirePrecision(
  { path, weights }: Checkpoint,
  model: Model,
  precision: Precision,
): void {
  if (!isInBlocks(precision)) return
  const native = load()
  if (!native.addon) throw new TouchstoneError('blocks.needs-addon', { why: native.why })
  if ([...model.weights.values()].some(({ blocks }) => blocks)) return
  const found = [...new Set([...weights.values()].map(({ storage }) => storage))].join(', ')
  const supported = Object.keys(BLOCK_FORMS).join(', ')
  throw new TouchstoneError('blocks.none', { path, found, supported })
}

function blocksOf(
  checkpoint: Checkpoint,
  { name, stored = name, blocks }: WeightSpec,
  precision: Precision,
): SmallWeight | undefined {
  const data = isInBlocks(precision) && blocks ? checkpoint.blocks?.(stored) : undefined
  return data && { storage: blocks!, data, isRounded: precision === 'blocks-int8' }
}

/** Weights that no file stores in the form that a graph computes with. */
const madeOf = (
  { place }: Pick<Checkpoint, 'place'>,
  { weights }: Pick<Model, 'weights'>,
  precision: Precision,
): WeightSpec[] =>
  [...weights.values()].filter(
    (spec) =>
      !spec.made &&
      !storageOf(spec, precision) &&
      (spec.transposed || !place(spec.stored ?? spec.name)),
  )

async function convertedOf(
  checkpoint: Checkpoint,
  model: Model,
  precision: Precision,
  cache: WeightCache,
): Promise<ConvertedWeights | undefined> {
  const made = madeOf(checkpoint, model, precision)
  // The digest of a small model's file would cost more than the conversion.
  if (!isKept(4 * elementsOfAll(made), cache)) return undefined
  const make = (name: string) => read(checkpoint, model.weights.get(name)!)
  return openConverted(cache, await checkpoint.digest(), made, make)
}

const read = (checkpoint: Checkpoint, spec: WeightSpec): Float32Array =>
  asComputed(checkpoint.read(spec.stored ?? spec.name), spec)

/** The weights of `model`, valid while the checkpoint is open. */
export function weightsOf(
  checkpoint: Checkpoint,
  model: Model,
  precision: Precision,
  converted?: ConvertedWeights,
): ReadonlyMap<string, Float32Array> {
  const whole = new Map<string, Float32Array>()
  const small = new Map<string, SmallWeight>()
  const places = new Map<string, WeightPlace>()
  const kept = new Set<string>()
  for (const spec of model.weights.values()) {
    const { name, stored = name } = spec
    const storage = storageOf(spec, precision)
    const inBlocks = blocksOf(checkpoint, spec, precision)
    if (inBlocks) small.set(name, inBlocks)
    if (inBlocks) continue
    const own = storage || spec.transposed ? undefined : checkpoint.place(stored)
    const place = own ?? converted?.place(name)
    if (place) places.set(name, place)
    if (place && !own) kept.add(name)
    if (place) continue
    const data = read(checkpoint, spec)
    if (storage && !isBlockName(storage)) small.set(name, quantise(data, spec.shape[0]!, storage))
    else whole.set(name, data)
  }
  const again = (name: string) =>
    kept.has(name)
      ? converted!.read(name)
      : checkpoint.read(model.weights.get(name)!.stored ?? name)
  const mapped = mappedOnce(places)
  const other = (name: string) => whole.get(name) ?? mapped(name) ?? again(name)
  return new LazyWeights(model.weights.keys(), small, other, places)
}

/** While anything refers to an array, the same one: each further mapping would count its pages once more in this process's memory. */
function mappedOnce(places: ReadonlyMap<string, WeightPlace>) {
  const arrays = new Map<string, WeakRef<Float32Array>>()
  return (name: string): Float32Array | undefined => {
    const place = places.get(name)!
    const known = arrays.get(name)?.deref()
    if (known) return place.isThere() ? known : undefined
    const array = mappedFloats(place)
    if (array) arrays.set(name, new WeakRef(array))
    return array
  }
}
