/** @file Facts that the window shows of a model, without loading its weights. */
import { stat } from 'node:fs/promises'
import type { ModelFacts } from '../contract/calls/models.ts'
import { inspectModel } from './inspect-model.ts'

/** Throws the first reason why it cannot be used. */
export async function factsOf(path: string): Promise<ModelFacts> {
  const stamp = `${path} ${(await stat(path).catch(() => undefined))?.mtimeMs ?? 0}`
  if (!known.has(stamp)) known.set(stamp, await lookedAt(path))
  return known.get(stamp)!
}

/** Cached, because reading a large tokenizer takes a second. */
const known = new Map<string, ModelFacts>()

async function lookedAt(path: string): Promise<ModelFacts> {
  const { problems, format, weights, tokenizer, template, licence } = await inspectModel(path)
  if (problems[0]) throw problems[0]
  const { architecture, parameters, bytes, layers, storage, memory, classes } = weights!
  return {
    architecture: architecture!,
    format,
    parameters,
    bytes,
    layers,
    licence,
    memory: memory!,
    storage: storage.map(({ type }) => type),
    tokenizer: { vocabulary: tokenizer!.vocabulary, digest: tokenizer!.digest },
    template,
    classes: classes && [...classes],
  }
}
