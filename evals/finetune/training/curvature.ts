/**
 * @file Sharpness of a loss at a point: the largest eigenvalue and the trace of its Hessian H, from gradients alone.
 *
 *     H·v ≈ (∇L(θ + h·v) − ∇L(θ − h·v)) / 2h,  ‖v‖ = 1             error O(h²)
 *     λ: power iteration on H; if that ends at a negative λ₁, on H − λ₁·I, which turns the order round
 *     tr H = E zᵀHz, z of ±1 with equal chances                       (Hutchinson 1990)
 */
import { randomStream } from '../../statistics/random.ts'

/** ∇L at θ `[n]`; the vector may be overwritten by the next call. */
export type GradientAt = (θ: Float32Array) => Promise<ArrayLike<number>>

interface CurvatureOptions {
  readonly seed: number
  /** Length h of the steps, in the units of θ. */
  readonly stepLength?: number
  /** Power iteration ends where λ changes by less than this share, or after so many rounds. */
  readonly tolerance?: number
  readonly rounds?: number
  /** Vectors z of the trace. */
  readonly draws?: number
}

interface Curvature {
  readonly largestEigenvalue: number
  readonly trace: number
  /** Standard error of `trace` over its draws. */
  readonly traceError: number
}

/** Costs two gradients a round of power iteration and a draw of the trace. */
export async function curvatureAt(
  gradientAt: GradientAt,
  θ: Float32Array,
  options: CurvatureOptions,
): Promise<Curvature> {
  const { seed, stepLength: h = 0.002, draws = 16 } = options
  const product = (v: Float64Array) => hessianProduct(gradientAt, θ, v, h)
  const largestEigenvalue = await largest(product, θ.length, options)
  const stream = randomStream(seed, 'trace of the Hessian')
  const found: number[] = []
  for (let draw = 0; draw < draws; draw++) {
    const size = 1 / Math.sqrt(θ.length)
    const z = Float64Array.from(θ, () => (stream.uniform() < 0.5 ? -size : size))
    found.push(θ.length * dot(z, await product(z)))
  }
  const trace = found.reduce((sum, x) => sum + x, 0) / draws
  const squares = found.reduce((sum, x) => sum + (x - trace) ** 2, 0)
  return { largestEigenvalue, trace, traceError: Math.sqrt(squares / (draws - 1) / draws) }
}

/** H·v for a v of length 1. */
async function hessianProduct(
  gradientAt: GradientAt,
  θ: Float32Array,
  v: Float64Array,
  h: number,
): Promise<Float64Array> {
  const at = (step: number) => gradientAt(θ.map((value, i) => value + step * v[i]!))
  const ahead = Float64Array.from(await at(h))
  const behind = await at(-h)
  return ahead.map((value, i) => (value - behind[i]!) / (2 * h))
}

type Product = (v: Float64Array) => Promise<Float64Array>

/** The largest λ of H, also where a negative one is larger in size. */
async function largest(product: Product, n: number, options: CurvatureOptions): Promise<number> {
  const first = await dominant(product, n, options)
  if (first >= 0) return first
  const shifted = async (v: Float64Array) =>
    (await product(v)).map((value, i) => value - first * v[i]!)
  return first + (await dominant(shifted, n, options))
}

/** vᵀHv of the vector at which power iteration ends. */
async function dominant(
  product: Product,
  n: number,
  { seed, tolerance = 1e-3, rounds = 100 }: CurvatureOptions,
): Promise<number> {
  const stream = randomStream(seed, 'largest eigenvalue')
  let v = unit(Float64Array.from({ length: n }, () => stream.normal()))
  let λ = 0
  for (let round = 0; round < rounds; round++) {
    const next = await product(v)
    const before = λ
    λ = dot(v, next)
    if (next.every((value) => value === 0)) return 0
    v = unit(next)
    if (round > 0 && Math.abs(λ - before) <= tolerance * Math.abs(λ)) break
  }
  return λ
}

const dot = (a: Float64Array, b: Float64Array) => a.reduce((sum, x, i) => sum + x * b[i]!, 0)

function unit(v: Float64Array): Float64Array {
  const norm = Math.sqrt(dot(v, v))
  return v.map((value) => value / norm)
}
