/** @file Every family that GGUF has a name for; where two share one, the one that is told by its settings stands first. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import { ggufGemma, ggufGemma2, ggufGemma3 } from '../../families/gguf/gemma.ts'
import { ggufGpt2 } from '../../families/gguf/gpt2.ts'
import { ggufGptNeox } from '../../families/gguf/gpt-neox.ts'
import { ggufLlama, ggufMixtral } from '../../families/gguf/llama.ts'
import { ggufOlmo2 } from '../../families/gguf/olmo2.ts'
import { ggufPhi3 } from '../../families/gguf/phi3.ts'
import { ggufQwen2, ggufQwen3 } from '../../families/gguf/qwen.ts'
import { ggufSmollm3 } from '../../families/gguf/smollm3.ts'
import type { GgufFamily, GgufMetadata } from './family.ts'

export const GGUF_FAMILIES: readonly GgufFamily[] = [
  ggufMixtral,
  ggufLlama,
  ggufQwen2,
  ggufQwen3,
  ggufGemma,
  ggufGemma2,
  ggufGemma3,
  ggufPhi3,
  ggufGpt2,
  ggufGptNeox,
  ggufOlmo2,
  ggufSmollm3,
]

export function familyOf(path: string, metadata: GgufMetadata): GgufFamily {
  const found = metadata.get('general.architecture')
  const family = GGUF_FAMILIES.find(
    ({ architecture, isOf }) =>
      architecture === found && (isOf?.((key) => metadata.get(`${architecture}.${key}`)) ?? true),
  )
  if (family) return family
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the GGUF architecture',
    found: String(found).slice(0, 100),
    supported: [...new Set(GGUF_FAMILIES.map(({ architecture }) => architecture))].join(', '),
  })
}

/** The family in whose words models of this `model_type` are written. */
export const writtenAs = (modelType: string): GgufFamily | undefined =>
  GGUF_FAMILIES.find(({ modelTypes }) => modelTypes.includes(modelType))
