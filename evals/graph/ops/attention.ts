/** @file Rotary positions, attention with grouped queries, and attention over a cache of keys and values. */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import { multiply } from '../shape.ts'
import type { Dim, Shape, Value } from '../value.ts'
import { product } from './linalg.ts'
import { softmax } from './reduction.ts'

export interface RotaryTables {
  /** cos and sin of position · frequency, `[positions, rotaryDim/2]`. */
  readonly cos: Value
  readonly sin: Value
}

interface RotaryAttributes {
  readonly heads: number
  readonly headDim: number
  readonly batch: Dim
  readonly seq: Dim
}

/**
 * Rotates pairs (x_i, x_{i+r/2}) of each head by its position's angles: y = (a·cos − b·sin, b·cos + a·sin). Only a head's
 * first r elements turn, r ≤ d being twice the width of the tables; the others stay.
 * x `[batch*seq, heads*d]`, positions int32 `[batch, seq]`, cos and sin `[positions, r/2]`.
 * The gradient is the rotation by the opposite angle, the same operator with −sin.
 */
export const Rotary: Op<RotaryAttributes> = {
  name: 'Rotary',
  infer: ([x]) => ({ outputs: [x!] }),
  emit: ({ e, inputs, types, attributes: { heads, headDim, batch, seq } }) => {
    const [x, positions, cos, sin] = inputs
    const half = types[2]!.shape[1] as number
    if (e.dialect.fused) {
      const [wide] = e.node('Reshape', [x!, e.shape([batch, seq, heads * headDim])])
      const [long] = e.node('Cast', [positions!], { to: { type: 'int64' } })
      const part = { num_heads: heads, rotary_embedding_dim: 2 * half }
      const attributes = { interleaved: 0, ...(2 * half < headDim && part) }
      const [y] = e.contrib('RotaryEmbedding', [wide!, long!, cos!, sin!], attributes)
      return { outputs: e.node('Reshape', [y!, e.int64([-1, heads * headDim])]) }
    }
    const names = { x: x!, positions: positions!, cos: cos!, sin: sin! }
    return { outputs: [rotateByParts(e, names, { heads, headDim, half })] }
  },
  vjp: ({ g, inputs: [, positions, cos, sin], attributes, dY }) => [
    g.apply(Rotary, [dY, positions!, cos!, g.neg(sin!)], attributes)[0]!,
    undefined,
    undefined,
    undefined,
  ],
}

interface RotaryNames {
  readonly x: string
  readonly positions: string
  readonly cos: string
  readonly sin: string
}

function rotateByParts(
  e: Emitter,
  { x, positions, cos, sin }: RotaryNames,
  { heads, headDim, half }: { heads: number; headDim: number; half: number },
): string {
  const table = (name: string) => {
    const [rows] = e.node('Gather', [name, positions], { axis: 0 })
    return e.node('Reshape', [rows!, e.int64([-1, 1, half])])[0]!
  }
  const [split] = e.node('Reshape', [x, e.int64([-1, heads, headDim])])
  const part = (start: number, end: number) =>
    e.node('Slice', [split!, e.int64([start]), e.int64([end]), e.int64([2])])[0]!
  const a = part(0, half)
  const b = part(half, 2 * half)
  const still = 2 * half < headDim ? [part(2 * half, headDim)] : []
  const times = (left: string, right: string) => e.node('Mul', [left, right])[0]!
  const c = table(cos)
  const s = table(sin)
  const first = e.node('Sub', [times(a, c), times(b, s)])[0]!
  const second = e.node('Add', [times(b, c), times(a, s)])[0]!
  const [joined] = e.node('Concat', [first, second, ...still], { axis: 2 })
  return e.node('Reshape', [joined!, e.int64([-1, heads * headDim])])[0]!
}

interface AttentionAttributes {
  readonly heads: number
  readonly kvHeads: number
  readonly headDim: number
  readonly batch: Dim
  readonly seq: Dim
  readonly scale: number
  /** c of c·tanh(score/c) before the bias (Gemma 2). */
  readonly softcap?: number
}

/**
 * O = softmax(scale·Q·Kᵀ + bias)·V per head; query head j reads key/value head ⌊j·kvHeads/heads⌋.
 * q `[batch*seq, heads*d]`, k and v `[batch*seq, kvHeads*d]`, bias `[batch or 1, 1, 1, seq, seq]` → `[batch*seq, heads*d]`.
 *
 * A macro. The queries of a group lie below one another, `[batch, kvHeads, group*seq, d]`, so keys and values are never
 * repeated and their gradients sum over the group by themselves. It keeps Q, K, V in that layout and P `[batch, kvHeads, group*seq, seq]`.
 * dV = Pᵀ·dO, dS = P·(dO·Vᵀ − rowsum(dO·O)), dQ = scale·dS·K, dK = scale·dSᵀ·Q. With a cap c it keeps T = tanh(score/c)
 * too, and dS is multiplied by 1 − T².
 */
export const Attention: Op<AttentionAttributes> = {
  name: 'Attention',
  infer: ([q, k], a) => {
    const { queries, keys, scores } = layouts(a)
    const keep: Record<string, Shape> = { Q: queries, K: keys, V: keys, P: scores, O: queries }
    if (a.softcap !== undefined) keep.T = scores
    const typed = Object.fromEntries(
      Object.entries(keep).map(([name, shape]) => [name, { dtype: k!.dtype, shape }]),
    )
    return { outputs: [q!], keep: typed }
  },
  emit: ({ e, inputs: [q, k, v, bias], attributes: a }) => {
    const { queries, grouped, scores } = layouts(a)
    const Q = split(e, q!, a, a.heads / a.kvHeads, queries)
    const K = split(e, k!, a, 1)
    const V = split(e, v!, a, 1)
    const raw = product(e, Q, K, [4, 4], { b: true, scale: a.scale / (a.softcap ?? 1) })
    const T = a.softcap === undefined ? undefined : e.node('Tanh', [raw])[0]!
    const score = T === undefined ? raw : e.node('Mul', [T, e.scalar(a.softcap!)])[0]!
    const [wide] = e.node('Reshape', [score, e.shape(grouped)])
    const [biased] = e.node('Add', [wide!, bias!])
    const [P] = e.node('Reshape', [softmax(e, biased!), e.shape(scores)])
    const O = product(e, P!, V, [4, 4], {})
    return { outputs: [join(e, O, a)], keep: { Q, K, V, P: P!, O, ...(T && { T }) } }
  },
  vjp: ({ g, kept: { Q, K, V, P, O, T }, attributes: a, dY }) => {
    const group = a.heads / a.kvHeads
    const dO = g.apply(SplitHeads, [dY], { ...a, group })[0]!
    const weighted = g.reduceSum(g.mul(dO, O!), [-1], { keepDims: true })
    const dCapped = g.mul(P!, g.sub(g.matMulT(dO, V!), weighted))
    const dS = T ? g.mul(dCapped, g.sub(g.scalar(1), g.mul(T, T))) : dCapped
    const scale = g.scalar(a.scale)
    const flat = (x: Value, parts: number) => g.apply(JoinHeads, [x], { ...a, group: parts })[0]!
    return [
      flat(g.mul(g.matMul(dS, K!), scale), group),
      flat(g.mul(g.tMatMul(dS, Q!), scale), 1),
      flat(g.tMatMul(P!, dO), 1),
      undefined,
    ]
  },
}

const layouts = ({ heads, kvHeads, headDim, batch, seq }: AttentionAttributes) => {
  const group = heads / kvHeads
  return {
    queries: [batch, kvHeads, multiply(group, seq), headDim] as Shape,
    keys: [batch, kvHeads, seq, headDim] as Shape,
    scores: [batch, kvHeads, multiply(group, seq), seq] as Shape,
    grouped: [batch, kvHeads, group, seq, seq] as Shape,
  }
}

/** `[batch*seq, kvHeads*group*d]` → `[batch, kvHeads, group*seq, d]`. */
function split(
  e: Emitter,
  x: string,
  { kvHeads, headDim, batch, seq }: AttentionAttributes,
  group: number,
  shape?: Shape,
): string {
  if (group === 1) {
    const [wide] = e.node('Reshape', [x, e.shape([batch, seq, kvHeads, headDim])])
    return e.node('Transpose', [wide!], { perm: [0, 2, 1, 3] })[0]!
  }
  const [wide] = e.node('Reshape', [x, e.shape([batch, seq, kvHeads, group, headDim])])
  const [moved] = e.node('Transpose', [wide!], { perm: [0, 2, 3, 1, 4] })
  return e.node('Reshape', [
    moved!,
    e.shape(shape ?? [batch, kvHeads, multiply(group, seq), headDim]),
  ])[0]!
}

/** `[batch, kvHeads, group*seq, d]` → `[batch*seq, kvHeads*group*d]`. */
function join(
  e: Emitter,
  x: string,
  { heads, kvHeads, headDim, batch, seq }: AttentionAttributes,
): string {
  const group = heads / kvHeads
  const [wide] = e.node('Reshape', [x, e.shape([batch, kvHeads, group, seq, headDim])])
  const [moved] = e.node('Transpose', [wide!], { perm: [0, 3, 1, 2, 4] })
  return e.node('Reshape', [moved!, e.int64([-1, heads * headDim])])[0]!
}

type Grouped = AttentionAttributes & { readonly group: number }

/** The attention macro's layout changes, for its gradient only. */
const SplitHeads: Op<Grouped> = {
  name: 'SplitHeads',
  infer: ([x], a) => ({
    outputs: [
      { dtype: x!.dtype, shape: [a.batch, a.kvHeads, multiply(a.group, a.seq), a.headDim] },
    ],
  }),
  emit: ({ e, inputs: [x], attributes: a }) => ({ outputs: [split(e, x!, a, a.group)] }),
  vjp: 'none',
}

const JoinHeads: Op<Grouped> = {
  name: 'JoinHeads',
  infer: ([x], a) => ({
    outputs: [
      { dtype: x!.dtype, shape: [multiply(a.batch, a.seq), a.kvHeads * a.group * a.headDim] },
    ],
  }),
  emit: ({ e, inputs: [x], attributes: a }) => ({
    outputs: [join(e, x!, { ...a, heads: a.kvHeads * a.group })],
  }),
  vjp: 'none',
}

interface CachedAttributes extends AttentionAttributes {
  /** How many tokens back a token sees, itself included. */
  readonly window?: number
}

/**
 * Attention of new tokens over a cache; not differentiable. Rows may have unequal lengths.
 * q `[batch*seq, heads*d]`, k and v `[batch*seq, kvHeads*d]`, past keys and values `[batch, kvHeads, capacity, d]`,
 * last int32 `[batch]` = index of each row's last valid position, total int32 `[1]` = 1 + the largest of them,
 * and, if rotary positions shall be applied inside, cos and sin `[positions, d/2]` → output `[batch*seq, heads*d]`, present keys and values (the past's buffers, extended).
 */
export const CachedAttention: Op<CachedAttributes> = {
  name: 'CachedAttention',
  infer: ([q, , , pastKeys, pastValues]) => ({ outputs: [q!, pastKeys!, pastValues!] }),
  emit: ({
    e,
    inputs: [q, k, v, ...rest],
    attributes: { heads, kvHeads, headDim, batch, seq, scale, softcap, window },
  }) => {
    const wide = (x: string, count: number) =>
      e.node('Reshape', [x, e.shape([batch, seq, count * headDim])])[0]!
    const attributes = {
      num_heads: heads,
      kv_num_heads: kvHeads,
      do_rotary: rest.length > 4 ? 1 : 0,
      rotary_interleaved: 0,
      scale: { float: scale },
      ...(softcap !== undefined && { softcap: { float: softcap } }),
      ...(window !== undefined && { local_window_size: window }),
    }
    const inputs = [wide(q!, heads), wide(k!, kvHeads), wide(v!, kvHeads), ...rest]
    const [y, keys, values] = e.contrib('GroupQueryAttention', inputs, attributes, 3)
    const [flat] = e.node('Reshape', [y!, e.int64([-1, heads * headDim])])
    return { outputs: [flat!, keys!, values!] }
  },
  vjp: 'none',
}

export const attention = (g: GraphCore) => ({
  rotary: (x: Value, positions: Value, { cos, sin }: RotaryTables, attributes: RotaryAttributes) =>
    g.apply(Rotary, [x, positions, cos, sin], attributes)[0]!,
  attention: (q: Value, k: Value, v: Value, bias: Value, attributes: AttentionAttributes) =>
    g.apply(Attention, [q, k, v, bias], attributes)[0]!,
  cachedAttention: (inputs: readonly Value[], attributes: CachedAttributes) => {
    const [output, keys, values] = g.apply(CachedAttention, inputs, attributes)
    return { output: output!, keys: keys!, values: values! }
  },
})
