/**
 * @file Gemma 1 to 3 in GGUF: norms hold their whole factor. What no file says is the scale of the scores, 1/√(head size) but
 * for the largest of Gemma 2 and of Gemma 3, which llama.cpp knows by their number of layers.
 */
import { TouchstoneError } from '../../../errors/touchstone-error.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import {
  real,
  whole,
  wholeOrNone,
  type GgufFamily,
  type GgufRule,
} from '../../formats/gguf/family.ts'
import { numberIn } from '../../formats/gguf/layouts.ts'
import { oneLess } from '../../formats/gguf/layouts.ts'
import { decoderFieldsOf, rotary, turnedOf } from '../../formats/gguf/rotary.ts'
import { readScaling, SCALING_KEYS, writeScaling } from '../../formats/gguf/scaling.ts'
import { gemma3Rotaries } from '../gemma.ts'
import { slidingLayers } from '../decoder-config.ts'
import {
  attention,
  gatedMlp,
  LLAMA_NAMES,
  normsBefore,
  outsideBlocks,
  queryKeyNorms,
  rmsEpsilon,
  SIZES,
} from './llama-shape.ts'

const fourNorms = {
  attn_norm: 'input_layernorm',
  post_attention_norm: 'post_attention_layernorm',
  ffn_norm: 'pre_feedforward_layernorm',
  post_ffw_norm: 'post_feedforward_layernorm',
} as const
const layouts = Object.fromEntries(
  ['output_norm', ...Object.keys(fourNorms), ...Object.keys(queryKeyNorms)].map((name) => [
    name,
    oneLess,
  ]),
)
const { token_embd, output_norm } = outsideBlocks
const tied = { ...LLAMA_NAMES, outside: { token_embd, output_norm } }
const settled = { hidden_activation: 'gelu_pytorch_tanh', hidden_act: 'gelu_pytorch_tanh' }

/** query_pre_attn_scalar, whose −½th power is the scale. */
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

const PATTERN = 'attention.sliding_window_pattern'

/** Which layers see a window only: of each `every` all but the last, or a list. */
const slidingPattern = (every: number): GgufRule => ({
  keys: [PATTERN],
  read(file, config) {
    const layers = numberIn(config, 'num_hidden_layers')
    const said = file.get(PATTERN)
    const list = Array.isArray(said) && said.length === layers ? (said as unknown[]) : undefined
    const each = typeof said === 'number' ? file.whole(PATTERN) : every
    const isSliding = (layer: number) =>
      config['sliding_window'] !== undefined &&
      (list ? Boolean(list[layer]) : (layer + 1) % each !== 0)
    return {
      layer_types: Array.from({ length: layers }, (_, layer) =>
        isSliding(layer) ? 'sliding_attention' : 'full_attention',
      ),
    }
  },
  write(config) {
    const usual = (config['sliding_window_pattern'] as number | undefined) ?? every
    const fields = decoderFieldsOf(config) as Parameters<typeof slidingLayers>[0]
    const sliding = slidingLayers(fields, (layer) => (layer + 1) % usual !== 0)
    const isUsual = sliding.every((slides, layer) => slides === ((layer + 1) % every !== 0))
    return isUsual ? [] : [[PATTERN, { type: 'bools', value: sliding }]]
  },
})

export const ggufGemma: GgufFamily = {
  architecture: 'gemma',
  modelTypes: ['gemma'],
  className: 'GemmaForCausalLM',
  names: { ...tied, inside: { ...normsBefore, ...attention, ...gatedMlp } },
  layouts,
  settled,
  rules: [...SIZES, rmsEpsilon, rotary()],
}

export const ggufGemma2: GgufFamily = {
  architecture: 'gemma2',
  modelTypes: ['gemma2'],
  className: 'Gemma2ForCausalLM',
  names: { ...tied, inside: { ...fourNorms, ...attention, ...gatedMlp } },
  layouts,
  settled,
  rules: [
    ...SIZES,
    rmsEpsilon,
    rotary(),
    whole('attention.sliding_window', 'sliding_window', () => 4096),
    slidingPattern(2),
    scoreScale(46),
    real('attn_logit_softcapping', 'attn_logit_softcapping', () => 50),
    real('final_logit_softcapping', 'final_logit_softcapping', () => 30),
  ],
}

/** Layers that see all have their own base and scaling; those with a window have none. */
const twoRotaries: GgufRule = {
  keys: ['rope.freq_base', 'rope.freq_base_swa', 'rope.dimension_count', ...SCALING_KEYS],
  read(file, config) {
    const rotaryDim = turnedOf(file, numberIn(config, 'head_dim'), false)
    const theta = file.real('rope.freq_base', 1e6)
    const maxPositions = numberIn(config, 'max_position_embeddings')
    const scaling = readScaling(file, { theta, rotaryDim, maxPositions })
    // llama.cpp would multiply by it in layers with a window too.
    if (scaling?.['attention_factor'] !== undefined) throw unscaledScores(file.path)
    return {
      rope_theta: theta,
      rope_local_base_freq: file.real('rope.freq_base_swa', 10000),
      rope_scaling: scaling,
    }
  },
  write(config: JsonObject, path) {
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

export const ggufGemma3: GgufFamily = {
  architecture: 'gemma3',
  modelTypes: ['gemma3_text'],
  className: 'Gemma3ForCausalLM',
  names: {
    ...LLAMA_NAMES,
    inside: { ...fourNorms, ...attention, ...queryKeyNorms, ...gatedMlp },
  },
  layouts,
  settled,
  rules: [
    ...SIZES,
    rmsEpsilon,
    twoRotaries,
    wholeOrNone('attention.sliding_window', 'sliding_window'),
    slidingPattern(6),
    scoreScale(62),
  ],
}
