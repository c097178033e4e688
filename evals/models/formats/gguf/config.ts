/** @file Rebuilds Hugging Face's `config.json` from a GGUF file's metadata, by its family's table. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { Checkpoint } from '../../checkpoint.ts'
import type { WeightIndex } from '../../weights/storage.ts'
import { malformed, type JsonObject } from '../../../files/read-file.ts'
import {
  familyFile,
  passedOver,
  type FamilyFile,
  type GgufFamily,
  type GgufMetadata,
} from './family.ts'

export function ggufConfig(
  path: string,
  family: GgufFamily,
  metadata: GgufMetadata,
  found: Pick<FamilyFile, 'weights' | 'extras'>,
): Checkpoint['config'] {
  const { names, modelType, className, settled, rules, architecture } = family
  const file = familyFile(path, architecture, metadata, found)
  const telling = passedOver(family, file.get)
  if (telling !== undefined) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: `the setting ${architecture}.${telling}`,
      found: String(file.get(telling)).slice(0, 60),
      supported: `what models of ${modelType} have`,
    })
  }
  const embedding = found.weights.get(`${names.outside['token_embd']}.weight`)
  if (!embedding) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: 'weights without',
      found: 'token_embd.weight',
      supported: 'language models; a projector or an adapter stands beside one',
    })
  }
  // Checked before any rule builds a list per layer.
  checkLayers(path, found.weights, names.layers, file.whole('block_count'))
  const config: JsonObject = { ...settled }
  for (const rule of rules) Object.assign(config, rule.read(file, config))
  return {
    architectures: [className],
    model_type: modelType,
    ...config,
    vocab_size: embedding.shape[0]!,
    tie_word_embeddings: !found.weights.has(`${names.outside['output']}.weight`),
    bos_token_id: metadata.get('tokenizer.ggml.bos_token_id') ?? null,
    eos_token_id: metadata.get('tokenizer.ggml.eos_token_id') ?? null,
  }
}

/** The file has exactly `block_count` layers, each with weights. */
function checkLayers(path: string, weights: WeightIndex, prefix: string, layers: number): void {
  const found = new Set<number>()
  for (const name of weights.keys()) {
    if (!name.startsWith(`${prefix}.`)) continue
    const layer = Number(name.slice(prefix.length + 1).split('.')[0])
    if (layer >= layers) throw malformed(path, `"${name}"`, `${layers} layers`)
    found.add(layer)
  }
  if (found.size !== layers) {
    throw malformed(path, `block_count = ${layers}`, `the ${found.size} layers that have weights`)
  }
}
