/**
 * @file OLMo 3 (Ai2, 2025; transformers: Olmo3ForCausalLM): OLMo 2 in which three of four layers attend to a window, and only the
 * others scale their rotary positions. GGUF calls both `olmo2`; a file of OLMo 3 has a window.
 */
import { z } from 'zod'
import { decoder } from '../decoder.ts'
import { count, headDimOf, positive, slidingLayers } from '../decoder-config.ts'
import type { ModelFamily } from '../family.ts'
import { whole, type GgufRule } from '../formats/gguf/family.ts'
import { numberIn } from '../formats/gguf/layouts.ts'
import { attentionBias, llamaTable } from '../formats/gguf/llama-shape.ts'
import { turnedOf } from '../formats/gguf/rotary.ts'
import { readScaling, SCALING_KEYS, writeScaling } from '../formats/gguf/scaling.ts'
import { slidingPattern } from '../formats/gguf/sliding.ts'
import { checkedRotary, RopeScaling } from '../rotary.ts'
import { olmoBlocks, olmoFields, olmoNames } from './olmo2.ts'

const THETA = 5e5
/** All layers but the last of each. */
const EVERY = 4

const rope = RopeScaling.extend({ rope_theta: z.number().positive().optional() })
const config = z.looseObject({
  ...olmoFields,
  rope_theta: positive(THETA),
  // transformers 5 writes one set per kind of layer.
  rope_parameters: z
    .looseObject({ full_attention: rope.nullish(), sliding_attention: rope.nullish() })
    .nullish(),
  sliding_window: count(4096).nullable(),
  layer_types: z.array(z.string()).nullish(),
})

/** Of layers with full attention, and of layers with a window, whose base the older `rope_theta` does not name. */
function rotaries(c: z.infer<typeof config>) {
  const { full_attention: full, sliding_attention: sliding } = c.rope_parameters ?? {}
  const common = {
    rotaryDim: headDimOf(c),
    maxPositions: c.max_position_embeddings,
  }
  const scaling = full ?? c.rope_scaling ?? null
  return [
    checkedRotary({ ...common, theta: full?.rope_theta ?? c.rope_theta, scaling }),
    checkedRotary({ ...common, theta: sliding?.rope_theta ?? THETA, scaling: sliding ?? null }),
  ] as const
}

const architecture = decoder({
  name: 'olmo3',
  config,
  plan(c) {
    const [far, near] = rotaries(c)
    const sliding = slidingLayers(c, (layer) => (layer + 1) % EVERY !== 0)
    return {
      ...olmoBlocks(c),
      attention: (layer) =>
        sliding[layer]
          ? { rotary: near, ...(c.sliding_window && { window: c.sliding_window }) }
          : { rotary: far },
    }
  },
})

const twoRotaries: GgufRule = {
  keys: ['rope.freq_base', 'rope.freq_base_swa', 'rope.dimension_count', ...SCALING_KEYS],
  read(file, found) {
    const heads = numberIn(found, 'num_attention_heads')
    const rotaryDim = turnedOf(file, numberIn(found, 'hidden_size') / heads, false)
    const theta = file.real('rope.freq_base', THETA)
    const maxPositions = numberIn(found, 'max_position_embeddings')
    const scaling = readScaling(file, { theta, rotaryDim, maxPositions })
    return {
      rope_parameters: {
        full_attention: { rope_type: 'default', ...scaling, rope_theta: theta },
        sliding_attention: {
          rope_type: 'default',
          rope_theta: file.real('rope.freq_base_swa', theta),
        },
      },
    }
  },
  write(found, path) {
    const [far, near] = rotaries(found as z.infer<typeof config>)
    return [
      ['rope.freq_base', { type: 'f32', value: far.theta }],
      ['rope.freq_base_swa', { type: 'f32', value: near.theta }],
      ...writeScaling(far, path),
    ]
  },
}

const gguf = llamaTable({
  architecture: 'olmo2',
  isOf: (get) => Number(get('attention.sliding_window') ?? 0) > 0,
  modelType: 'olmo3',
  className: 'Olmo3ForCausalLM',
  names: olmoNames,
  rules: [
    twoRotaries,
    attentionBias,
    whole('attention.sliding_window', 'sliding_window'),
    slidingPattern(EVERY, { isAlwaysSaid: true }),
  ],
})

export const olmo3: ModelFamily = { architecture, gguf }
