/** @file Layers of a convolutional autoencoder over vectors, channels last: x `[batch·length, channels]`, rows of a text one after another. */
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'

/** Numbers that a convolution reads. */
export const KERNEL = 7
const EPSILON = 1e-5
const SLOPE = 0.01

export interface Rows {
  readonly batch: number
  /** Rows of each sample. */
  readonly length: number
  readonly channels: number
}

/** Four windows beside one another, `[batch, length, 4·channels]`: window o of row i is row i + o of x with `before` zeros in front. */
function windows(g: Graph, x: Value, { batch, length, channels }: Rows, before: number): Value {
  const zeros = (rows: number) => (rows === 0 ? [] : [g.filled([batch, rows, channels], 0)])
  const padded = g.concat([...zeros(before), x, ...zeros(3 - before)], 1)
  const parts = [0, 1, 2, 3].map((o) => g.slice(padded, 1, o, o + length))
  return g.concat(parts, 2)
}

/** Stride 2, padding 3: y_i = b + Σ_k W_k·x_{2i+k−3}. @param W `[out, 7·channels]` @returns `[batch·length/2, out]` */
export function convolved(g: Graph, x: Value, rows: Rows, W: Value, b: Value): Value {
  const { batch, length, channels } = rows
  const zeros = g.filled([batch, 3, channels], 0)
  const padded = g.concat([zeros, g.reshape(x, [batch, length, channels]), zeros], 1)
  const half = length / 2
  // Two rows in one: window o holds taps 2o and 2o + 1.
  const pairs = g.reshape(padded, [batch, half + 3, 2 * channels])
  const parts = [0, 1, 2, 3].map((o) => g.slice(pairs, 1, o, o + half))
  const taps = g.slice(g.concat(parts, 2), 2, 0, KERNEL * channels)
  return g.add(g.matMulT(g.reshape(taps, [batch * half, KERNEL * channels]), W), b)
}

/**
 * The mirrored form, stride 2: y_j = b + Σ_i W_{j−2i+3}·x_i. Even rows read taps 5, 3, 1 of rows m − 1 to m + 1, odd rows taps 6, 4, 2,
 * 0 of rows m − 1 to m + 2. @param W `[out, 7·channels]` @returns `[batch·2·length, out]`
 */
export function spreadOut(g: Graph, x: Value, rows: Rows, W: Value, b: Value): Value {
  const { batch, length, channels } = rows
  const out = W.shape[0] as number
  const tap = (k: number) => g.slice(W, 1, k * channels, (k + 1) * channels)
  const even = g.concat([tap(5), tap(3), tap(1), g.filled([out, channels], 0)], 1)
  const odd = g.concat([tap(6), tap(4), tap(2), tap(0)], 1)
  const read = windows(g, g.reshape(x, [batch, length, channels]), rows, 1)
  const flat = g.reshape(read, [batch * length, 4 * channels])
  const both = g.matMulT(flat, g.concat([even, odd], 0))
  return g.add(g.reshape(both, [batch * length * 2, out]), b)
}

/** Each channel by its mean and variance over the rows of the batch, then γ and β `[channels]`. */
export function batchNormed(g: Graph, x: Value, γ: Value, β: Value): Value {
  const share = g.scalar(1 / (x.shape[0] as number))
  const mean = (value: Value) => g.mul(g.reduceSum(value, [0], { keepDims: true }), share)
  const apart = g.sub(x, mean(x))
  const spread = g.sqrt(g.add(mean(g.mul(apart, apart)), g.scalar(EPSILON)))
  return g.add(g.mul(g.div(apart, spread), γ), β)
}

const isAbove = (g: Graph, x: Value) => g.greaterOrEqual(x, g.scalar(0))

/** x above 0, x/100 below. */
export const leaky = (g: Graph, x: Value): Value =>
  g.where(isAbove(g, x), x, g.mul(x, g.scalar(SLOPE)))

/** x above 0, eˣ − 1 below. */
export function elu(g: Graph, x: Value): Value {
  const above = isAbove(g, x)
  const below = g.where(above, g.sub(x, x), x)
  return g.where(above, x, g.sub(g.exp(below), g.scalar(1)))
}

/** KL of N(μ, σ²) from N(0, 1): −½ Σ (1 + log σ² − μ² − σ²) over all numbers, `[]`. */
export function divergence(g: Graph, μ: Value, logVariance: Value): Value {
  const inner = g.sub(g.sub(g.add(logVariance, g.scalar(1)), g.mul(μ, μ)), g.exp(logVariance))
  return g.mul(g.reduceSum(inner, [0, 1], { keepDims: false }), g.scalar(-0.5))
}
