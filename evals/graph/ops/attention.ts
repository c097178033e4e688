/** @file Rotary position embedding, grouped-query attention, and attention over a cache of keys and values. */
import type { GraphCore } from '../builder.ts'
import type { Dialect, Emitter, Op, RuleGraph } from '../op.ts'
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
 * Rotates pairs (x_i, x_{i+r/2}) of each head by its position's angles: y = (a·cos − b·sin, b·cos + a·sin). Rotates a head's
 * first r elements, with r ≤ d twice the width of the tables, and keeps the others.
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

/** Layout of heads in a row; the query heads of a group, which share one key head, are adjacent. */
export interface HeadLayout {
  readonly batch: Dim
  readonly seq: Dim
  readonly kvHeads: number
  readonly headDim: number
  /** Query heads per key head; absent for keys and values. */
  readonly group?: number
}

const splitShape = ({ batch, seq, kvHeads, headDim, group }: HeadLayout): Shape =>
  group === undefined ? [batch, kvHeads, seq, headDim] : [batch, kvHeads, group, seq, headDim]

/**
 * Rows to heads: `[batch*seq, kvHeads*group*d]` → `[batch, kvHeads, group, seq, d]`; for keys and values `[batch, kvHeads, seq,
 * d]`.
 */
export const SplitHeads: Op<HeadLayout> = {
  name: 'SplitHeads',
  infer: ([x], layout) => ({ outputs: [{ dtype: x!.dtype, shape: splitShape(layout) }] }),
  emit: ({ e, inputs: [x], attributes: layout }) => {
    const { batch, seq, kvHeads, headDim, group = 1 } = layout
    const heads = group === 1 ? [kvHeads] : [kvHeads, group]
    const [wide] = e.node('Reshape', [x!, e.shape([batch, seq, ...heads, headDim])])
    const moved = e.node('Transpose', [wide!], {
      perm: group === 1 ? [0, 2, 1, 3] : [0, 2, 3, 1, 4],
    })
    const isThere = group > 1 || layout.group === undefined
    return {
      outputs: isThere ? moved : e.node('Reshape', [moved[0]!, e.shape(splitShape(layout))]),
    }
  },
  vjp: ({ g, attributes, dY }) => [g.apply(JoinHeads, [dY], attributes)[0]],
}

/** The inverse: heads to rows. */
export const JoinHeads: Op<HeadLayout> = {
  name: 'JoinHeads',
  isLight: true,
  infer: ([x], { batch, seq, kvHeads, headDim, group = 1 }) => ({
    outputs: [{ dtype: x!.dtype, shape: [multiply(batch, seq), kvHeads * group * headDim] }],
  }),
  emit: ({ e, inputs: [x], attributes: { batch, seq, kvHeads, headDim, group = 1 } }) => {
    const [wide] = e.node('Reshape', [x!, e.shape([batch, kvHeads, group, seq, headDim])])
    const [moved] = e.node('Transpose', [wide!], { perm: [0, 3, 1, 2, 4] })
    return { outputs: e.node('Reshape', [moved!, e.int64([-1, kvHeads * group * headDim])]) }
  },
  vjp: ({ g, attributes, dY }) => [g.apply(SplitHeads, [dY], attributes)[0]],
}

export interface ScoreAttributes {
  readonly scale: number
  /** The c of c·tanh(score/c), applied before the bias (Gemma 2). */
  readonly softcap?: number
  /** Softmax so, whatever the dialect. */
  readonly softmax?: Dialect['softmax']
}

/**
 * O = softmax(scale·Q·Kᵀ + bias)·V per head; the queries of a group share one key and value head.
 * Q `[batch, kvHeads, group, queries, d]`, K and V `[batch, kvHeads, keys, d]`, bias `[batch or 1, 1, 1, queries, keys]` if
 * there is one → as Q.
 *
 * A macro. A group's queries are stacked, so keys and values are not repeated and their gradients sum over the group. It keeps
 * P `[batch, kvHeads, group*queries, keys]`.
 * dV = Pᵀ·dO, dS = P·(dO·Vᵀ − rowsum(dO·O)), dQ = scale·dS·K, dK = scale·dSᵀ·Q. With a cap c it also keeps T = tanh(score/c),
 * and dS is multiplied by 1 − T².
 */
export const Attention: Op<ScoreAttributes> = {
  name: 'Attention',
  infer: ([q, k], { softcap }) => {
    const scores = { dtype: q!.dtype, shape: [...below(q!.shape).slice(0, 3), k!.shape[2]!] }
    return { outputs: [q!], keep: { P: scores, ...(softcap !== undefined && { T: scores }) } }
  },
  emit: ({ e, inputs: [Q, K, V, bias], types: [q, k], attributes }) => {
    const { scale, softcap, softmax: form } = attributes
    const shape = q!.shape
    const keys = k!.shape[2]!
    const [queries] = e.node('Reshape', [Q!, e.shape(below(shape))])
    const raw = product(e, queries!, K!, [4, 4], { b: true, scale: scale / (softcap ?? 1) })
    const T = softcap === undefined ? undefined : e.node('Tanh', [raw])[0]!
    const score = T === undefined ? raw : e.node('Mul', [T, e.scalar(softcap!)])[0]!
    const [wide] = e.node('Reshape', [score, e.shape([...shape.slice(0, 4), keys])])
    const biased = bias === undefined ? wide! : e.node('Add', [wide!, bias])[0]!
    const flat = e.shape([...below(shape).slice(0, 3), keys])
    const [P] = e.node('Reshape', [softmax(e, biased, form), flat])
    const outputs = e.node('Reshape', [product(e, P!, V!, [4, 4], {}), e.shape(shape)])
    return { outputs, keep: { P: P!, ...(T && { T }) } }
  },
  vjp: ({ g, inputs: [Q, K, V, ...bias], outputs: [O], kept: { P, T }, attributes, dY }) => {
    const [q, o, dO] = [Q!, O!, dY].map((x) => g.reshape(x, below(x.shape)))
    const weighted = g.reduceSum(g.mul(dO!, o!), [-1], { keepDims: true })
    const dCapped = g.mul(P!, dProducts(g, [dO!, V!], weighted, attributes))
    const dS = T ? g.mul(dCapped, g.sub(g.scalar(1), g.mul(T, T))) : dCapped
    const scale = g.scalar(attributes.scale)
    return [
      g.reshape(g.mul(g.matMul(dS, K!), scale), Q!.shape),
      g.mul(g.tMatMul(dS, q!), scale),
      g.tMatMul(P!, dO!),
      ...bias.map(() => undefined),
    ]
  },
}

/** dO·Vᵀ − rowsum(dO·O); where bits may rest on the processor, as one product: [dO, −rowsum]·[V, 1]ᵀ. */
function dProducts(
  g: RuleGraph,
  [dO, V]: readonly [Value, Value],
  weighted: Value,
  { softmax: form }: ScoreAttributes,
): Value {
  if (form === undefined) return g.sub(g.matMulT(dO, V), weighted)
  const ones = g.filled([...V.shape.slice(0, -1), 1], 1)
  return g.matMulT(g.concat([dO, g.neg(weighted)], 3), g.concat([V, ones], 3))
}

/** From `[batch, kvHeads, group, queries, d]`, with the group's queries stacked. */
const below = ([batch, kvHeads, group, queries, headDim]: Shape): Shape => [
  batch!,
  kvHeads!,
  multiply(group!, queries!),
  headDim!,
]

interface CachedAttributes extends ScoreAttributes, RotaryAttributes {
  readonly kvHeads: number
  /** How many tokens a token attends to, itself included. */
  readonly window?: number
  /** Where nothing else reads the present: ONNX Runtime's kernel reads memory that nobody wrote where it has no reader. */
  readonly isPresentUnread?: boolean
}

/**
 * Attention of new tokens over a cache; not differentiable. Rows may have different lengths.
 * q `[batch*seq, heads*d]`, k and v `[batch*seq, kvHeads*d]`, past keys and values `[batch, kvHeads, capacity, d]`,
 * last int32 `[batch]` = index of each row's last valid position, total int32 `[1]` = 1 + the largest of them,
 * and, to apply rotary positions inside, cos and sin `[positions, d/2]` → output `[batch*seq, heads*d]`, present keys and
 * values (the past's buffers, extended).
 */
export const CachedAttention: Op<CachedAttributes> = {
  name: 'CachedAttention',
  infer: ([q, , , pastKeys, pastValues]) => ({ outputs: [q!, pastKeys!, pastValues!] }),
  emit: ({
    e,
    inputs: [q, k, v, ...rest],
    attributes: { heads, kvHeads, headDim, batch, seq, scale, softcap, window, isPresentUnread },
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
    const shape = e.int64([-1, heads * headDim])
    const read = isPresentUnread ? afterwards(e, shape, [keys!, values!]) : shape
    const [flat] = e.node('Reshape', [y!, read])
    return { outputs: [flat!, keys!, values!] }
  },
  vjp: 'none',
}

/** The int64 values of `sizes`, made after `others`. */
export const afterwards = (e: Emitter, sizes: string, others: readonly string[]): string =>
  others.reduce((sum, other) => {
    const [size] = e.node('Shape', [other], { start: 0, end: 1 })
    return e.node('Add', [sum, e.node('Sub', [size!, size!])[0]!])[0]!
  }, sizes)

export const attention = (g: GraphCore) => ({
  rotary: (x: Value, positions: Value, { cos, sin }: RotaryTables, attributes: RotaryAttributes) =>
    g.apply(Rotary, [x, positions, cos, sin], attributes)[0]!,
  splitHeads: (x: Value, layout: HeadLayout) => g.apply(SplitHeads, [x], layout)[0]!,
  joinHeads: (x: Value, layout: HeadLayout) => g.apply(JoinHeads, [x], layout)[0]!,
  attention: (inputs: readonly [Value, Value, Value, Value?], attributes: ScoreAttributes) =>
    g.apply(
      Attention,
      inputs.flatMap((input) => input ?? []),
      attributes,
    )[0]!,
  cachedAttention: (inputs: readonly Value[], attributes: CachedAttributes) => {
    const [output, keys, values] = g.apply(CachedAttention, inputs, attributes)
    return { output: output!, keys: keys!, values: values! }
  },
})
