/** @file `genai_config.json`: what ONNX Runtime GenAI needs to know of a decoder besides its graph. */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { CacheLayer } from '../../architecture.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import { OPTIMUM } from './io.ts'

export const GENAI_CONFIG = 'genai_config.json'

interface GenaiFacts {
  readonly path: string
  readonly graphFile: string
  readonly cache: readonly CacheLayer[]
  readonly hiddenSize: number
  readonly vocabSize: number
  readonly maxPositions: number
  readonly endIds: readonly number[]
  readonly padId: number
  readonly startId: number | undefined
}

const INPUTS = {
  input_ids: OPTIMUM.tokens,
  attention_mask: OPTIMUM.mask,
  position_ids: OPTIMUM.positions,
  past_key_names: OPTIMUM.pastKeys,
  past_value_names: OPTIMUM.pastValues,
}
const OUTPUTS = {
  logits: OPTIMUM.logits,
  present_key_names: OPTIMUM.presentKeys,
  present_value_names: OPTIMUM.presentValues,
}

/** Greedy by default. The graph concatenates its cache, so buffers are not shared. All layers must have the same heads. */
export function genaiConfig(facts: GenaiFacts): JsonObject {
  const { cache, maxPositions, endIds, padId, startId } = facts
  const { heads, kvHeads, headDim } = uniform(facts.path, cache)
  return {
    model: {
      type: 'decoder',
      ...(startId !== undefined && { bos_token_id: startId }),
      eos_token_id: endIds.length === 1 ? endIds[0] : endIds,
      pad_token_id: padId,
      context_length: maxPositions,
      vocab_size: facts.vocabSize,
      decoder: {
        session_options: { log_id: 'onnxruntime-genai', provider_options: [] },
        filename: facts.graphFile,
        head_size: headDim,
        hidden_size: facts.hiddenSize,
        num_attention_heads: heads,
        num_hidden_layers: cache.length,
        num_key_value_heads: kvHeads,
        inputs: INPUTS,
        outputs: OUTPUTS,
      },
    },
    search: {
      do_sample: false,
      max_length: maxPositions,
      num_beams: 1,
      past_present_share_buffer: false,
    },
  }
}

function uniform(path: string, cache: readonly CacheLayer[]): CacheLayer {
  const [first] = cache
  const shapeOf = ({ heads, kvHeads, headDim }: CacheLayer) => `${heads} ${kvHeads} ${headDim}`
  const odd = cache.find((layer) => shapeOf(layer) !== shapeOf(first!))
  if (!odd) return first!
  throw new TouchstoneError('export.unsupported', {
    path,
    form: 'an ORT-GenAI folder',
    found: `layers with ${first!.kvHeads} and with ${odd.kvHeads} key/value heads`,
    supported: 'the same heads in every layer',
  })
}
