/**
 * @file Gemma (arXiv:2403.08295): Llama with scaled embeddings, norms that store w − 1, and GELU. Gemma 2 (2408.00118) adds
 * norms after each branch, capped scores and logits, and a window in every other layer. Gemma 3 (2503.19786) drops the
 * caps, norms each head of q and k, and gives five of six layers a window with its own rotary base.
 *
 * In GGUF norms are stored as w. No file states the scale of the scores: it is 1/√(head size), except in the largest Gemma
 * 2 and Gemma 3, which llama.cpp recognises by their number of layers.
 */
import { z } from 'zod'
import { decoder, type DecoderPlan } from '../decoder.ts'
import {
  count,
  decoderFields,
  headDimOf,
  llamaShape,
  positive,
  rotaryOf,
  slidingLayers,
} from '../decoder-config.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { ModelFamily } from '../family.ts'
import { real, whole, wholeOrNone, type GgufRule } from '../formats/gguf/family.ts'
import { numberIn, oneLess } from '../formats/gguf/layouts.ts'
import {
  attention,
  gatedMlp as ggufMlp,
  llamaTable,
  outsideBlocks,
  queryKeyNorms,
} from '../formats/gguf/llama-shape.ts'
import { rotary, turnedOf } from '../formats/gguf/rotary.ts'
import { readScaling, SCALING_KEYS, writeScaling } from '../formats/gguf/scaling.ts'
import { slidingPattern } from '../formats/gguf/sliding.ts'
import { ACTIVATIONS, gatedMlp, rmsNorm, separateProjections } from '../parts.ts'
import { checkedRotary, RopeScaling } from '../rotary.ts'

const activation = z.enum(Object.keys(ACTIVATIONS) as ['gelu_pytorch_tanh'])
const fields = {
  ...decoderFields,
  head_dim: count(256).nullable(),
  max_position_embeddings: count(8192),
  use_bidirectional_attention: z.literal(false).nullish(),
  hidden_act: activation.nullish(),
  hidden_activation: activation.nullish(),
  attention_bias: z.boolean().default(false),
  tie_word_embeddings: z.boolean().default(true),
}
const alternating = {
  ...fields,
  query_pre_attn_scalar: z.number().positive().default(256),
  sliding_window: count(4096),
  layer_types: z.array(z.string()).nullish(),
}
/** c of c·tanh(x/c); null for none. */
const cap = z.number().positive().nullable()

const gemmaConfig = z.looseObject(fields)
const gemma2Config = z.looseObject({
  ...alternating,
  attn_logit_softcapping: cap.default(50),
  final_logit_softcapping: cap.default(30),
})
const rope = RopeScaling.extend({ rope_theta: z.number().positive().optional() })
const gemma3Config = z.looseObject({
  ...alternating,
  max_position_embeddings: count(131072),
  // transformers 5.24 reads the first and passes over it: who wrote it meant another model.
  attn_logit_softcapping: z.literal(null).default(null),
  final_logit_softcapping: cap.default(null),
  rope_theta: positive(1e6),
  _sliding_window_pattern: z.int().positive().optional(),
  rope_local_base_freq: positive(10000),
  sliding_window_pattern: z.int().positive().optional(),
  // transformers 5 writes one set per kind of layer.
  rope_parameters: z
    .looseObject({ full_attention: rope.optional(), sliding_attention: rope.optional() })
    .nullish(),
})

type Fields = z.infer<typeof gemmaConfig>
const FOUR_NORMS: Pick<DecoderPlan, 'attentionNorms' | 'mlpNorms'> = {
  attentionNorms: { before: 'input_layernorm', after: 'post_attention_layernorm' },
  mlpNorms: { before: 'pre_feedforward_layernorm', after: 'post_feedforward_layernorm' },
}

/** `gelu` in config.json means the tanh formula (transformers: GemmaConfig); Gemma 2 and 3 name theirs `hidden_activation`. */
const activationOf = ({ hidden_activation: own, hidden_act: act }: Fields): string =>
  own ?? (act == null || String(act) === 'gelu' ? 'gelu_pytorch_tanh' : act)

const normOf = (c: Fields) => rmsNorm(c.rms_norm_eps, { stored: 'w-1' })
const shared = (c: Fields) => ({
  ...llamaShape(c),
  norm: normOf(c),
  embeddingScale: Math.sqrt(c.hidden_size),
  mlp: gatedMlp({
    hidden: c.hidden_size,
    activation: ACTIVATIONS[activationOf(c)]!,
  }),
})
const projectionsOf = (c: Fields) => ({
  hidden: c.hidden_size,
  headDim: headDimOf(c),
  biased: c.attention_bias,
})

/** Scale of the scores. */
const scoresOf = (c: Pick<z.infer<typeof gemma2Config>, 'query_pre_attn_scalar'>) => ({
  scale: c.query_pre_attn_scalar ** -0.5,
})

const gemma1 = decoder({
  name: 'gemma',
  config: gemmaConfig,
  plan(c) {
    const positions = rotaryOf(c)
    return {
      ...shared(c),
      projections: separateProjections(projectionsOf(c)),
      attention: () => ({ rotary: positions }),
    }
  },
})

const gemma2 = decoder({
  name: 'gemma2',
  config: gemma2Config,
  plan(c) {
    const positions = rotaryOf(c)
    const { attn_logit_softcapping: softcap } = c
    const common = { ...scoresOf(c), ...(softcap && { softcap }) }
    const sliding = slidingLayers(c, (layer) => layer % 2 === 0)
    return {
      ...shared(c),
      ...FOUR_NORMS,
      projections: separateProjections(projectionsOf(c)),
      ...(c.final_logit_softcapping && { logitCap: c.final_logit_softcapping }),
      attention: (layer) => ({
        ...common,
        rotary: positions,
        ...(sliding[layer] && { window: c.sliding_window }),
      }),
    }
  },
})

const gemma3 = decoder({
  name: 'gemma3',
  modelTypes: ['gemma3_text'],
  config: gemma3Config,
  plan(c) {
    const common = scoresOf(c)
    const pattern = c.sliding_window_pattern ?? c._sliding_window_pattern ?? 6
    const sliding = slidingLayers(c, (layer) => (layer + 1) % pattern !== 0)
    const [far, near] = gemma3Rotaries(c)
    return {
      ...shared(c),
      ...FOUR_NORMS,
      ...(c.final_logit_softcapping && { logitCap: c.final_logit_softcapping }),
      projections: separateProjections({
        ...projectionsOf(c),
        queryKeyNorm: { over: 'head', norm: normOf(c) },
      }),
      attention: (layer) =>
        sliding[layer]
          ? { ...common, rotary: near, window: c.sliding_window }
          : { ...common, rotary: far },
    }
  },
})

/** Rotary positions of layers with full attention, and of layers with a window. */
function gemma3Rotaries(c: z.infer<typeof gemma3Config>) {
  const { full_attention: full, sliding_attention: sliding } = c.rope_parameters ?? {}
  const common = { rotaryDim: headDimOf(c), maxPositions: c.max_position_embeddings }
  return [
    checkedRotary({
      ...common,
      theta: full?.rope_theta ?? c.rope_theta,
      scaling: full ?? c.rope_scaling ?? null,
    }),
    checkedRotary({
      ...common,
      theta: sliding?.rope_theta ?? c.rope_local_base_freq,
      scaling: sliding ?? null,
    }),
  ] as const
}

const ggufNorms = {
  attn_norm: 'input_layernorm',
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'pre_feedforward_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
} as const
const layouts = Object.fromEntries(
  ['output_norm', ...Object.keys(ggufNorms), ...Object.keys(queryKeyNorms)].map((name) => [
    name,
    oneLess,
  ]),
)
const { token_embd, output_norm } = outsideBlocks
const outside = { token_embd, output_norm }
const settled = { hidden_activation: 'gelu_pytorch_tanh', hidden_act: 'gelu_pytorch_tanh' }

/** Sets query_pre_attn_scalar; the scale of the scores is its power of −½. */
const scoreScale = (layersOfLargest: number): GgufRule => ({
  keys: [],
  read(_, config) {
    const isLargest = config['num_hidden_layers'] === layersOfLargest
    const even = Math.floor(
      numberIn(config, 'hidden_size') / numberIn(config, 'num_attention_heads'),
    )
    return { query_pre_attn_scalar: isLargest ? even : numberIn(config, 'head_dim') }
  },
  write: () => [],
})

const ggufGemma = llamaTable({
  architecture: 'gemma',
  className: 'GemmaForCausalLM',
  names: { outside },
  layouts,
  settled,
  rules: [rotary()],
})

const ggufGemma2 = llamaTable({
  architecture: 'gemma2',
  className: 'Gemma2ForCausalLM',
  names: { outside, inside: { ...ggufNorms, ...attention, ...ggufMlp } },
  layouts,
  settled,
  rules: [
    rotary(),
    whole('attention.sliding_window', 'sliding_window', () => 4096),
    slidingPattern(2),
    scoreScale(46),
    real('attn_logit_softcapping', 'attn_logit_softcapping', () => 50),
    real('final_logit_softcapping', 'final_logit_softcapping', () => 30),
  ],
})

/** Base and scaling of layers with full attention; base of layers with a window, which have no scaling. */
const twoRotaries: GgufRule = {
  keys: ['rope.freq_base', 'rope.freq_base_swa', 'rope.dimension_count', ...SCALING_KEYS],
  read(file, config) {
    const rotaryDim = turnedOf(file, numberIn(config, 'head_dim'), false)
    const theta = file.real('rope.freq_base', 1e6)
    const maxPositions = numberIn(config, 'max_position_embeddings')
    const scaling = readScaling(file, { theta, rotaryDim, maxPositions })
    // llama.cpp would also apply it in layers with a window.
    if (scaling?.['attention_factor'] !== undefined) throw unscaledScores(file.path)
    return {
      rope_theta: theta,
      rope_local_base_freq: file.real('rope.freq_base_swa', 10000),
      rope_scaling: scaling,
    }
  },
  write(config, path) {
    const [far, near] = gemma3Rotaries(config as Parameters<typeof gemma3Rotaries>[0])
    return [
      ['rope.freq_base', { type: 'f32', value: far.theta }],
      ['rope.freq_base_swa', { type: 'f32', value: near.theta }],
      ...writeScaling(far, path),
    ]
  },
}

const unscaledScores = (path: string) =>
  new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the setting',
    found: 'gemma3.rope.scaling.attn_factor',
    supported: 'the amplitude that YaRN has by itself',
  })

const ggufGemma3 = llamaTable({
  architecture: 'gemma3',
  modelType: 'gemma3_text',
  className: 'Gemma3ForCausalLM',
  names: {
    inside: { ...ggufNorms, ...attention, ...queryKeyNorms, ...ggufMlp },
  },
  layouts,
  settled,
  rules: [
    twoRotaries,
    wholeOrNone('attention.sliding_window', 'sliding_window'),
    slidingPattern(6),
    scoreScale(62),
  ],
})

export const gemma: readonly ModelFamily[] = [
  { architecture: gemma1, gguf: ggufGemma },
  { architecture: gemma2, gguf: ggufGemma2 },
  { architecture: gemma3, gguf: ggufGemma3 },
]
