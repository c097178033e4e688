/** @file What a model is, without loading its weights: architecture, size, tokenizer, template, licence, memory. */
import { readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import type { ModelFacts } from '../contract/calls/models.ts'
import { openModel } from '../models/open-model.ts'
import { recognise } from '../models/registry.ts'
import { bytesNeeded } from '../sweeps/jobs-estimate.ts'

/** Throws what `openModel` and `recognise` object to. */
export async function factsOf(path: string): Promise<ModelFacts> {
  const stamp = `${path} ${(await stat(path).catch(() => undefined))?.mtimeMs ?? 0}`
  if (!known.has(stamp)) known.set(stamp, await lookedAt(path))
  return known.get(stamp)!
}

/** Reading a large tokenizer takes a second, and lists are shown often. */
const known = new Map<string, ModelFacts>()

async function lookedAt(path: string): Promise<ModelFacts> {
  const open = await openModel(path)
  try {
    const { checkpoint, tokenizer, template } = open
    const { architecture, weights } = recognise(checkpoint)
    const specs = [...weights.values()]
    const stored = [...checkpoint.weights.values()]
    const parameters = specs.reduce((sum, { shape }) => sum + sizeOf(shape), 0)
    return {
      architecture: architecture.name,
      format: checkpoint.format,
      parameters,
      bytes: stored.reduce((sum, { bytes }) => sum + bytes, 0),
      layers: new Set(specs.flatMap(({ layer }) => layer ?? [])).size,
      storage: [...new Set(stored.map(({ storage }) => storage))],
      tokenizer: { vocabulary: tokenizer.vocabSize, digest: tokenizer.digest },
      template: {
        source: template.source,
        digest: template.digest,
        example: await template.render(EXAMPLE, { addGenerationPrompt: true }),
      },
      licence: await licenceOf(path),
      memory: {
        lora: bytesNeeded({ parameters, trainsWhole: false }),
        full: bytesNeeded({ parameters, trainsWhole: true }),
      },
    }
  } finally {
    await open.close()
  }
}

const EXAMPLE = [{ role: 'user', content: 'When is breakfast?' }]
const sizeOf = (shape: readonly number[]) => shape.reduce((product, size) => product * size, 1)

/** As the model card's heading states it. */
async function licenceOf(path: string): Promise<string | null> {
  const card = await readFile(join(path, 'README.md'), 'utf8').catch(() => '')
  return (
    /^license:[ \t]*(?<name>[^\n]{1,80})$/mu.exec(card.slice(0, 4096))?.groups!['name']!.trim() ??
    null
  )
}
