/** @file Matrix products. Weights keep the checkpoint's layout `[out, in]` and are never transposed in memory. */
import type { GraphCore } from '../builder.ts'
import type { Emitter, Op } from '../op.ts'
import { broadcast, ShapeError } from '../shape.ts'
import type { Shape, Value, ValueType } from '../value.ts'

export interface Transposed {
  readonly a: boolean
  readonly b: boolean
  readonly scale: number
}

/** The type of op(A)·op(B), where op optionally transposes the last two axes. */
function productType(name: string, turned: Partial<Transposed>): Op['infer'] {
  const lastOf = (shape: Shape, isTurned = false) =>
    isTurned ? shape.slice(-2).reverse() : shape.slice(-2)
  return ([a, b]) => {
    const [A, B] = [a!.shape, b!.shape]
    const [m, k] = lastOf(A, turned.a)
    const [inner, n] = lastOf(B, turned.b)
    if (k !== inner || A.length < 2 || B.length < 2) throw new ShapeError(name, A, B)
    const batch = broadcast(name, A.slice(0, -2), B.slice(0, -2))
    return { outputs: [{ dtype: a!.dtype, shape: [...batch, m!, n!] }] }
  }
}

/** Y = A·B with A `[..., m, k]`, B `[..., k, n]`; so dA = dY·Bᵀ and dB = Aᵀ·dY. */
export const MatMul: Op = {
  name: 'MatMul',
  infer: productType('MatMul', {}),
  emit: ({ e, inputs }) => ({ outputs: e.node('MatMul', inputs) }),
  vjp: ({ g, inputs: [a, b], dY }) => [g.matMulT(dY, b!), g.matMul(g.transpose(a!), dY)],
}

/** scale · op(A)·op(B), where op optionally transposes the last two axes. `ranks` are those of A and B. */
export const product = (
  e: Emitter,
  a: string,
  b: string,
  ranks: readonly [number, number],
  { a: transA = false, b: transB = false, scale = 1 }: Partial<Transposed>,
): string => {
  // An attribute is float32, so a float64 graph multiplies by a scale that float32 would round in a separate node.
  const inside = e.dialect.float === 'float32' || Math.fround(scale) === scale
  const scaled = (y: string) =>
    scale === 1 || inside ? y : e.node('Mul', [y, e.scalar(scale)])[0]!
  const attributes = {
    transA: transA ? 1 : 0,
    transB: transB ? 1 : 0,
    alpha: { float: inside ? scale : 1 },
  }
  if (e.dialect.fused || e.dialect.float === 'float64')
    return scaled(e.contrib('FusedMatMul', [a, b], attributes)[0]!)
  if (ranks[0] === 2 && ranks[1] === 2) return e.node('Gemm', [a, b], attributes)[0]!
  const flip = (x: string, rank: number) => {
    const order = [...Array.from({ length: rank - 2 }, (_, i) => i), rank - 1, rank - 2]
    return e.node('Transpose', [x], { perm: order })[0]!
  }
  const y = e.node('MatMul', [transA ? flip(a, ranks[0]) : a, transB ? flip(b, ranks[1]) : b])[0]!
  return scale === 1 ? y : e.node('Mul', [y, e.scalar(scale)])[0]!
}

const ranksOf = (types: readonly ValueType[]): [number, number] => [
  types[0]!.shape.length,
  types[1]!.shape.length,
]

/** Y = A·Bᵀ with A `[..., m, k]`, B `[..., n, k]`; so dA = dY·B and dB = dYᵀ·A. */
export const MatMulT: Op = {
  name: 'MatMulT',
  infer: productType('MatMulT', { b: true }),
  emit: ({ e, inputs: [a, b], types }) => ({
    outputs: [product(e, a!, b!, ranksOf(types), { b: true })],
  }),
  vjp: ({ g, inputs: [a, b], dY }) => [g.matMul(dY, b!), g.tMatMul(dY, a!)],
}

/** Y = Aᵀ·B with A `[..., k, m]`, B `[..., k, n]`; so dA = B·dYᵀ and dB = A·dY. */
export const TMatMul: Op = {
  name: 'TMatMul',
  infer: productType('TMatMul', { a: true }),
  emit: ({ e, inputs: [a, b], types }) => ({
    outputs: [product(e, a!, b!, ranksOf(types), { a: true })],
  }),
  vjp: ({ g, inputs: [a, b], dY }) => [g.matMulT(b!, dY), g.matMul(a!, dY)],
}

/**
 * A frozen or trained weight with a low-rank update: Y = x·Wᵀ + s·(x·Aᵀ)·Bᵀ with x `[rows, in]`, W `[out, in]`, A `[r, in]`, B
 * `[out, r]`. A macro, so that products add their operands (Gemm's C):
 * dh = s·dY·B, dA = dhᵀ·x, dB = s·dYᵀ·h, dx = dY·W + dh·A, dW = dYᵀ·x.
 */
export const LowRankLinear: Op<{ scale: number }> = {
  name: 'LowRankLinear',
  infer([x, W, A, B]) {
    const [rows, width] = x!.shape
    const [r, inner] = A!.shape
    if (
      x!.shape.length !== 2 ||
      W!.shape[1] !== width ||
      inner !== width ||
      B!.shape[1] !== r ||
      B!.shape[0] !== W!.shape[0]
    ) {
      throw new ShapeError('LowRankLinear', x!.shape, W!.shape, A!.shape, B!.shape)
    }
    return {
      outputs: [{ dtype: x!.dtype, shape: [rows!, W!.shape[0]!] }],
      keep: { h: { dtype: x!.dtype, shape: [rows!, r!] } },
    }
  },
  emit: ({ e, inputs: [x, W, A, B], attributes: { scale } }) => {
    const base = product(e, x!, W!, [2, 2], { b: true })
    const h = product(e, x!, A!, [2, 2], { b: true })
    if (e.dialect.float === 'float64') {
      const update = product(e, h, B!, [2, 2], { b: true, scale })
      return { outputs: e.node('Add', [base, update]), keep: { h } }
    }
    const y = e.node('Gemm', [h, B!, base], { transB: 1, alpha: { float: scale } })
    return { outputs: y, keep: { h } }
  },
  vjp: ({ g, inputs: [x, W, A, B], kept: { h }, attributes: { scale }, dY }) => {
    const dh = g.scaledMatMul(dY, B!, scale)
    return [
      g.matMulAdd(dh, A!, g.matMul(dY, W!)),
      g.tMatMul(dY, x!),
      g.tMatMul(dh, x!),
      g.scaledTMatMul(dY, h!, scale),
    ]
  },
}

/** Products used by gradients only; they have no gradient themselves. */
const backward = <A>(
  name: string,
  infer: (a: readonly [Value['shape'], Value['shape']]) => Value['shape'],
  emit: Op<A>['emit'],
): Op<A> => ({
  name,
  infer: ([a, b]) => ({ outputs: [{ dtype: a!.dtype, shape: infer([a!.shape, b!.shape]) }] }),
  emit,
  vjp: 'none',
})

const rowsByColumns = ([a, b]: readonly [Value['shape'], Value['shape']]) => [a[0]!, b[1]!]

const MatMulAdd = backward<undefined>('MatMulAdd', rowsByColumns, ({ e, inputs }) => ({
  outputs: e.node('Gemm', inputs),
}))
const ScaledMatMul = backward<number>(
  'ScaledMatMul',
  rowsByColumns,
  ({ e, inputs: [a, b], attributes: scale }) => ({
    outputs: [product(e, a!, b!, [2, 2], { scale })],
  }),
)
const ScaledTMatMul = backward<number>(
  'ScaledTMatMul',
  ([a, b]) => [a[1]!, b[1]!],
  ({ e, inputs: [a, b], attributes: scale }) => ({
    outputs: [product(e, a!, b!, [2, 2], { a: true, scale })],
  }),
)

export const linalg = (g: GraphCore) => ({
  /** a `[..., m, k]`, b `[..., k, n]` → `[..., m, n]`. */
  matMul: (a: Value, b: Value) => g.apply(MatMul, [a, b], undefined)[0]!,
  /** a `[..., m, k]`, b `[..., n, k]` → a·bᵀ `[..., m, n]`. A linear layer is matMulT(x, W). */
  matMulT: (a: Value, b: Value) => g.apply(MatMulT, [a, b], undefined)[0]!,
  /** a `[..., k, m]`, b `[..., k, n]` → aᵀ·b `[..., m, n]`. */
  tMatMul: (a: Value, b: Value) => g.apply(TMatMul, [a, b], undefined)[0]!,
  lowRankLinear: (x: Value, W: Value, A: Value, B: Value, scale: number) =>
    g.apply(LowRankLinear, [x, W, A, B], { scale })[0]!,
  /** a·b + c, matrices. No gradient. */
  matMulAdd: (a: Value, b: Value, c: Value) => g.apply(MatMulAdd, [a, b, c], undefined)[0]!,
  /** s·a·b, matrices. No gradient. */
  scaledMatMul: (a: Value, b: Value, scale: number) => g.apply(ScaledMatMul, [a, b], scale)[0]!,
  /** s·aᵀ·b, matrices. No gradient. */
  scaledTMatMul: (a: Value, b: Value, scale: number) => g.apply(ScaledTMatMul, [a, b], scale)[0]!,
})
