/** @file Parts that decoder architectures share: rotary tables, attention masks, and attention under any plan. */
import { z } from 'zod'
import { TouchstoneError } from '../errors.ts'
import type { Graph } from '../graph/ops/index.ts'
import type { RotaryTables } from '../graph/ops/attention.ts'
import type { Value } from '../graph/value.ts'
import type { ForwardInput, KeyValue } from './architecture.ts'

/** Added to the score of a position that may not be seen: exp(score + this) is 0 in float32 and float64. */
const MASKED = -1e9

export const RopeScaling = z.looseObject({
  rope_type: z.string().optional(),
  type: z.string().optional(),
  factor: z.number().optional(),
  low_freq_factor: z.number().optional(),
  high_freq_factor: z.number().optional(),
  original_max_position_embeddings: z.number().optional(),
})
export type RopeScaling = z.infer<typeof RopeScaling>

export interface RotaryConfig {
  readonly theta: number
  /** How many elements of each head turn: all of them, or the first part. */
  readonly rotaryDim: number
  readonly scaling: RopeScaling | null
  readonly maxPositions: number
}

/**
 * Angles a second of each pair: 1/θ^(2i/r), `[rotaryDim/2]`, changed as `rope_scaling` says (transformers' modeling_rope_utils):
 * linear divides by the factor; llama3 divides long wavelengths and blends the middle; dynamic leaves them as they are
 * within the trained length, which is all that is run here.
 */
export function rotaryFrequencies({
  theta,
  rotaryDim,
  scaling,
  maxPositions,
}: RotaryConfig): Float64Array {
  const base = Float64Array.from(
    { length: rotaryDim / 2 },
    (_, i) => theta ** ((-2 * i) / rotaryDim),
  )
  const kind = scaling?.rope_type ?? scaling?.type ?? 'default'
  const factor = scaling?.factor ?? 1
  switch (kind) {
    case 'default':
    case 'dynamic':
      return base
    case 'linear':
      return base.map((frequency) => frequency / factor)
    case 'llama3': {
      const low = scaling!.low_freq_factor ?? 1
      const high = scaling!.high_freq_factor ?? 4
      const trained = scaling!.original_max_position_embeddings ?? maxPositions
      return base.map((frequency) => {
        const wavelength = (2 * Math.PI) / frequency
        if (wavelength < trained / high) return frequency
        if (wavelength > trained / low) return frequency / factor
        const smooth = (trained / wavelength - low) / (high - low)
        return ((1 - smooth) * frequency) / factor + smooth * frequency
      })
    }
    default:
      throw new TouchstoneError('checkpoint.unsupported', {
        path: 'config.json',
        what: 'rope scaling',
        found: kind,
        supported: 'default, linear, dynamic, llama3',
      })
  }
}

/** cos and sin tables `[positions, rotaryDim/2]` as graph constants. */
export function rotaryTables(g: Graph, config: RotaryConfig, positions: number): RotaryTables {
  const frequencies = rotaryFrequencies(config)
  const half = frequencies.length
  const table = (f: (angle: number) => number) => {
    const data = new Float32Array(positions * half)
    for (let p = 0; p < positions; p++) {
      for (let i = 0; i < half; i++) data[p * half + i] = f(p * frequencies[i]!)
    }
    return g.constant(data, g.float, [positions, half])
  }
  return { cos: table(Math.cos), sin: table(Math.sin) }
}

/**
 * What may be seen: 0 or a large negative number, `[batch, 1, 1, seq, seq]`. Padding stands at the end, so a causal mask
 * hides it. With a window a token sees that many tokens back, itself included.
 */
export function attentionBias(
  g: Graph,
  { attention, positions, batch, seq }: ForwardInput,
  window?: number,
): Value {
  const asQuery = (x: Value) => g.reshape(x, [batch, 1, 1, seq, 1])
  const asKey = (x: Value) => g.reshape(x, [batch, 1, 1, 1, seq])
  if (attention.kind === 'full') return g.filled([batch, 1, 1, seq, seq], 0)
  const near = (visible: Value): Value => {
    if (window === undefined) return visible
    const oldest = g.sub(positions, g.constant([window - 1], 'int32', []))
    return g.and(visible, g.greaterOrEqual(asKey(positions), asQuery(oldest)))
  }
  const causal = near(g.greaterOrEqual(asQuery(positions), asKey(positions)))
  const visible =
    attention.kind === 'packed'
      ? g.and(causal, g.equal(asQuery(attention.segments), asKey(attention.segments)))
      : causal
  return g.where(visible, g.scalar(0), g.scalar(MASKED))
}

export interface AttentionLayer {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  /** Absent where positions are learned, or where a layer has none. */
  readonly rotary: RotaryTables | undefined
  /** From `attentionBias`; unused with a cache. */
  readonly bias: Value | undefined
  readonly scale?: number
  readonly softcap?: number
  /** With a cache; without one it is in the bias. */
  readonly window: number | undefined
}

/** Self-attention of layer `index` under the input's plan: q, k, v `[batch*seq, heads*headDim]` before rotary positions. */
export function attend(
  g: Graph,
  { q, k, v }: { q: Value; k: Value; v: Value },
  { attention, positions, batch, seq }: ForwardInput,
  { heads, kvHeads, headDim, rotary, bias, scale, softcap, window }: AttentionLayer,
  index: number,
): { output: Value; present?: KeyValue } {
  const scaled = { scale: scale ?? 1 / Math.sqrt(headDim), ...(softcap && { softcap }) }
  const attributes = { heads, kvHeads, headDim, batch, seq, ...scaled }
  const turn = (x: Value, count: number) =>
    rotary ? g.rotary(x, positions, rotary, { heads: count, headDim, batch, seq }) : x
  if (attention.kind === 'cached') {
    const { past, last, total } = attention
    const { keys: pastKeys, values: pastValues } = past[index]!
    // The fused kernel turns only whole heads whose size is a multiple of 16.
    const inside = headDim % 16 === 0 && rotary?.cos.shape[1] === headDim / 2
    const turned = inside ? [q, k] : [turn(q, heads), turn(k, kvHeads)]
    const tables = inside ? [rotary.cos, rotary.sin] : []
    const inputs = [...turned, v, pastKeys, pastValues, last, total, ...tables]
    const { output, keys, values } = g.cachedAttention(inputs, {
      ...attributes,
      ...(window !== undefined && { window }),
    })
    return { output, present: { keys, values } }
  }
  return { output: g.attention(turn(q, heads), turn(k, kvHeads), v, bias!, attributes) }
}
