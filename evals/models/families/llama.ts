/** @file Llama (arXiv:2302.13971): RMS norms before attention and MLP, rotary positions, grouped queries, a gated SiLU MLP. */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { headDimOf, llamaShape, rotaryOf, siluFields } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import {
  attentionBias,
  interleavedHeads,
  llamaTable,
  mlpBias,
} from '../formats/gguf/llama-shape.ts'
import { DIVISOR_TENSORS, rotary } from '../formats/gguf/rotary.ts'
import { gatedMlp, rmsNorm, separateProjections } from '../parts.ts'

const architecture = decoder({
  name: 'llama',
  config: z.looseObject({
    ...siluFields,
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
  }),
  plan(c) {
    const hidden = c.hidden_size
    const positions = rotaryOf(c)
    return {
      ...llamaShape(c),
      norm: rmsNorm(c.rms_norm_eps),
      projections: separateProjections({ hidden, headDim: headDimOf(c), biased: c.attention_bias }),
      mlp: gatedMlp({ hidden, activation: 'silu', biased: c.mlp_bias }),
      attention: () => ({ rotary: positions }),
    }
  },
})

/** What Llama, Mistral and Mixtral share in GGUF. */
export const llamaGgufRotary = rotary({ divisors: ['llama3', 'longrope'] })
export const llamaGgufExtras = [...DIVISOR_TENSORS.llama3, ...DIVISOR_TENSORS.longrope]

/** Mistral without a window is written as Llama, and read as Llama. */
export const llamaGguf = llamaTable({
  architecture: 'llama',
  className: 'LlamaForCausalLM',
  names: { extras: llamaGgufExtras },
  layouts: interleavedHeads,
  rules: [llamaGgufRotary, attentionBias, mlpBias],
})

export const llama: ModelFamily = { architecture, gguf: llamaGguf }
