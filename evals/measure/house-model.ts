/** @file Is a model Pebble, or a variant of it? What may be asked of the house's own model alone is refused for every other. */
import type { LoadedModel } from '../models/load.ts'
import { loadModel } from '../models/load.ts'
import { modelPath } from '../models/model-path.ts'

const PEBBLE = 'pebble'

/** Pebble's tokenizer, and weights of its names and shapes: another training of it, not another model. */
export async function isHouseModel(name: string): Promise<boolean> {
  if (name === PEBBLE) return true
  const [own, other] = [await likeness(PEBBLE), await likeness(name)]
  return own === other
}

async function likeness(name: string): Promise<string> {
  const loaded = await loadModel(modelPath(name))
  try {
    return likenessOf(loaded)
  } finally {
    await loaded.open.close()
  }
}

const likenessOf = ({ open, model }: Pick<LoadedModel, 'open' | 'model'>): string =>
  JSON.stringify([
    open.tokenizer.digest,
    model.architecture.kind,
    [...model.weights.values()].map(({ name, shape }) => `${name} ${shape.join('x')}`).sort(),
  ])
