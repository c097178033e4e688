/** @file The Llama family: RMS norms before attention and MLP, rotary positions, grouped queries, a gated SiLU MLP. */
import { z } from 'zod'
import { nearNames, TouchstoneError } from '../errors.ts'
import type { KeyValue, ModelArchitecture, ModelScope, WeightSpec } from './architecture.ts'
import type { WeightIndex } from './checkpoint.ts'
import { attend, attentionBias, RopeScaling, rotaryTables } from './layers.ts'

const config = z
  .looseObject({
    hidden_size: z.int().positive().max(65536),
    num_hidden_layers: z.int().positive().max(1024),
    num_attention_heads: z.int().positive().max(4096),
    num_key_value_heads: z.int().positive().optional(),
    head_dim: z.int().positive().nullish(),
    intermediate_size: z.int().positive(),
    vocab_size: z.int().positive(),
    rms_norm_eps: z.number().positive().default(1e-6),
    rope_theta: z.number().positive().optional(),
    rope_scaling: RopeScaling.nullish(),
    // transformers 5 writes rope_theta and the scaling in one object
    rope_parameters: RopeScaling.extend({ rope_theta: z.number().positive().optional() }).nullish(),
    max_position_embeddings: z.int().positive().default(2048),
    tie_word_embeddings: z.boolean().default(false),
    attention_bias: z.boolean().default(false),
    mlp_bias: z.boolean().default(false),
    hidden_act: z.literal('silu').default('silu'),
  })
  .transform((c) => ({
    hidden: c.hidden_size,
    layers: c.num_hidden_layers,
    headDim: c.head_dim ?? c.hidden_size / c.num_attention_heads,
    vocab: c.vocab_size,
    epsilon: c.rms_norm_eps,
    theta: c.rope_parameters?.rope_theta ?? c.rope_theta ?? 10000,
    scaling: c.rope_parameters ?? c.rope_scaling ?? null,
    maxPositions: c.max_position_embeddings,
    tied: c.tie_word_embeddings,
    attentionBias: c.attention_bias,
    mlpBias: c.mlp_bias,
  }))
type Config = z.infer<typeof config>

const ATTENTION = ['q_proj', 'k_proj', 'v_proj', 'o_proj'] as const
const MLP = ['gate_proj', 'up_proj', 'down_proj'] as const
const layerPrefix = (layer: number) => `model.layers.${layer}`

/** Looks a weight up and holds its shape against `expected`; null stands for any size. */
function take(
  found: WeightIndex,
  path: string,
  name: string,
  expected: readonly (number | null)[],
): readonly number[] {
  const stored = found.get(name)
  if (!stored)
    throw new TouchstoneError('checkpoint.weight-missing', {
      path,
      name,
      near: nearNames(name, found.keys()),
    })
  const fits =
    stored.shape.length === expected.length &&
    expected.every((size, i) => size === null || size === stored.shape[i])
  if (!fits) {
    throw new TouchstoneError('checkpoint.weight-shape', {
      path,
      name,
      found: `[${stored.shape.join(', ')}]`,
      expected: `[${expected.map((size) => size ?? 'any').join(', ')}]`,
    })
  }
  return stored.shape
}

function layerWeights(c: Config, layer: number, found: WeightIndex, path: string): WeightSpec[] {
  const prefix = layerPrefix(layer)
  const specs: WeightSpec[] = []
  const linear = (
    block: string,
    module: string,
    expected: readonly (number | null)[],
    biased: boolean,
  ) => {
    const name = `${prefix}.${block}.${module}`
    const shape = take(found, path, `${name}.weight`, expected)
    specs.push({ name: `${name}.weight`, shape, kind: 'linear', layer, module })
    if (biased) {
      specs.push({
        name: `${name}.bias`,
        shape: take(found, path, `${name}.bias`, [shape[0]!]),
        kind: 'bias',
      })
    }
    return shape
  }
  for (const norm of ['input_layernorm', 'post_attention_layernorm']) {
    const name = `${prefix}.${norm}.weight`
    specs.push({ name, shape: take(found, path, name, [c.hidden]), kind: 'norm' })
  }
  const [queries] = linear('self_attn', 'q_proj', [null, c.hidden], c.attentionBias)
  const [keys] = linear('self_attn', 'k_proj', [null, c.hidden], c.attentionBias)
  linear('self_attn', 'v_proj', [keys!, c.hidden], c.attentionBias)
  linear('self_attn', 'o_proj', [c.hidden, queries!], c.attentionBias)
  const [width] = linear('mlp', 'gate_proj', [null, c.hidden], c.mlpBias)
  linear('mlp', 'up_proj', [width!, c.hidden], c.mlpBias)
  linear('mlp', 'down_proj', [c.hidden, width!], c.mlpBias)
  return specs
}

function heads(c: Config, prefix: string, rows: (name: string) => number, path = prefix) {
  const queries = rows(`${prefix}.self_attn.q_proj.weight`) / c.headDim
  const kvHeads = rows(`${prefix}.self_attn.k_proj.weight`) / c.headDim
  const whole = Number.isInteger(queries) && Number.isInteger(kvHeads) && queries % kvHeads === 0
  if (!whole || c.headDim % 2 !== 0) {
    throw new TouchstoneError('checkpoint.weight-shape', {
      path,
      name: `${prefix}.self_attn: q_proj and k_proj`,
      found: `${queries} and ${kvHeads} heads of ${c.headDim}`,
      expected: 'whole heads of an even size, the query heads a multiple of the key heads',
    })
  }
  return { heads: queries, kvHeads, headDim: c.headDim }
}

const projections = (scope: ModelScope, prefix: string, x: ReturnType<ModelScope['weight']>) => {
  const [q, k, v] = (['q_proj', 'k_proj', 'v_proj'] as const).map((name) =>
    scope.linear(`${prefix}.self_attn.${name}`, x),
  )
  return { q: q!, k: k!, v: v! }
}

export const llama: ModelArchitecture<Config> = {
  name: 'llama',
  modelTypes: ['llama'],
  config,

  weights(c, found, path) {
    const top: WeightSpec[] = [
      {
        name: 'model.embed_tokens.weight',
        shape: take(found, path, 'model.embed_tokens.weight', [c.vocab, c.hidden]),
        kind: 'embedding',
      },
      {
        name: 'model.norm.weight',
        shape: take(found, path, 'model.norm.weight', [c.hidden]),
        kind: 'norm',
      },
    ]
    if (!c.tied)
      top.push({
        name: 'lm_head.weight',
        shape: take(found, path, 'lm_head.weight', [c.vocab, c.hidden]),
        kind: 'linear',
      })
    const layers = Array.from({ length: c.layers }, (_, layer) => {
      const specs = layerWeights(c, layer, found, path)
      heads(c, layerPrefix(layer), (name) => found.get(name)!.shape[0]!, path)
      return specs
    })
    return [...top, ...layers.flat()]
  },

  forward(scope, input, c) {
    const { g } = scope
    const rotary = rotaryTables(g, c, Math.min(scope.maxPositions, c.maxPositions))
    const bias = input.attention.kind === 'cached' ? undefined : attentionBias(g, input)
    const present: KeyValue[] = []
    let x = input.embeddings ?? scope.embedding('model.embed_tokens', input.tokens!)
    for (let layer = 0; layer < c.layers; layer++) {
      const prefix = layerPrefix(layer)
      const norm = (name: string, y: typeof x) =>
        g.rmsNorm(y, scope.weight(`${prefix}.${name}.weight`), c.epsilon)
      const shape = heads(c, prefix, (name) => scope.weight(name).shape[0] as number)
      const qkv = projections(scope, prefix, norm('input_layernorm', x))
      const attended = attend(g, qkv, input, { ...shape, rotary, bias }, layer)
      if (attended.present) present.push(attended.present)
      x = g.add(x, scope.linear(`${prefix}.self_attn.o_proj`, attended.output))
      const y = norm('post_attention_layernorm', x)
      const gate = g.silu(scope.linear(`${prefix}.mlp.gate_proj`, y))
      const up = scope.linear(`${prefix}.mlp.up_proj`, y)
      x = scope.tap(
        `${prefix}.output`,
        g.add(x, scope.linear(`${prefix}.mlp.down_proj`, g.mul(gate, up))),
      )
    }
    return { hiddenStates: g.rmsNorm(x, scope.weight('model.norm.weight'), c.epsilon), present }
  },

  logits: (scope, hidden, c) =>
    c.tied
      ? scope.g.matMulT(hidden, scope.weight('model.embed_tokens.weight'))
      : scope.linear('lm_head', hidden),

  cache: (c, weights) =>
    Array.from({ length: c.layers }, (_, layer) =>
      heads(c, layerPrefix(layer), (name) => weights.get(name)!.shape[0]!),
    ),

  maxPositions: (c) => c.maxPositions,
}

/** The linear layers of a block, in the order in which heat-maps show them. */
export const LLAMA_MODULES: readonly string[] = [...ATTENTION, ...MLP]
