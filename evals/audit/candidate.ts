/** @file A fine-tune made elsewhere: an adapter on the base, or a whole model; measured, not trained. */
import { basename, join } from 'node:path'
import type { SubjectIdentity, SubjectKey } from '../contract/rows.ts'
import { TouchstoneError } from '../errors.ts'
import { exists } from '../models/files.ts'
import { loadModel } from '../models/load.ts'
import { rawStartOf } from '../models/peft-config.ts'
import { readPeftFolder } from '../models/peft-folder.ts'
import { adaptedWeights, replacedWeights, type TunedWeights } from '../models/tuned-weights.ts'
import { digestOfFile, identityOf, type Base } from './base.ts'

export interface Candidate {
  readonly key: SubjectKey
  readonly identity: SubjectIdentity
  readonly weights: TunedWeights
  readonly warnings: readonly string[]
}

/** `candidate:NAME`, numbered where two have the same file name. */
export function candidateNames(paths: readonly string[]): string[] {
  const bases = paths.map((path) => `candidate:${basename(path)}`)
  return bases.map((name, i) => {
    const earlier = bases.slice(0, i).filter((other) => other === name).length
    return earlier === 0 ? name : `${name}#${earlier + 1}`
  })
}

export async function openCandidate(base: Base, path: string, arm: string): Promise<Candidate> {
  const key = { arm, seed: 0, step: 0 }
  if (await exists(join(path, 'adapter_config.json'))) {
    const folder = await readPeftFolder(path)
    const adapterDigest = await digestOfFile(join(path, 'adapter_model.safetensors'))
    const trainableParameters = [...folder.tensors.values()].reduce(
      (sum, { data }) => sum + data.length,
      0,
    )
    const identity = identityOf(base, base.open, {
      arm,
      title: `Adapter ${basename(path)}`,
      path,
      adapterDigest,
      trainableParameters,
    })
    const weights = adaptedWeights(base.weights, folder, path)
    return { key, identity, weights, warnings: rawStartOf(folder.config, path) }
  }
  const loaded = await loadModel(path)
  try {
    requireSameShapes(base, loaded.model.weights, path)
    const own = {
      path,
      parameters: loaded.parameters,
      digest: await loaded.open.checkpoint.digest(),
    }
    const identity = identityOf(own, loaded.open, { arm, title: `Model ${basename(path)}` })
    const trained = new Map([...loaded.weights].map(([name, data]) => [name, { data }]))
    return {
      key,
      identity,
      weights: replacedWeights(base.weights, trained),
      warnings: differences(base, identity, path),
    }
  } finally {
    await loaded.open.close()
  }
}

export function requireSameShapes(
  base: Base,
  weights: Base['model']['weights'],
  path: string,
): void {
  for (const [name, { shape }] of base.model.weights) {
    const found = weights.get(name)?.shape
    if (found?.join() !== shape.join()) {
      const text = found ? `[${found.join(', ')}]` : 'nothing'
      throw new TouchstoneError('checkpoint.weight-shape', {
        path,
        name,
        found: text,
        expected: `[${shape.join(', ')}], as in the base`,
      })
    }
  }
}

/** The candidate is asked through the base's tokenizer and template, so that only the weights differ; it says where its own would. */
function differences(base: Base, identity: SubjectIdentity, path: string): string[] {
  const warnings: string[] = []
  if (identity.tokenizerDigest !== base.open.tokenizer.digest)
    warnings.push(
      `${path} carries another tokenizer than the base; it was asked through the base's.`,
    )
  if (identity.templateDigest !== base.open.template.digest)
    warnings.push(
      `${path} carries another chat template than the base; it was asked through the base's.`,
    )
  return warnings
}
