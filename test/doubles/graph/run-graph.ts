/** @file Builds a small graph, runs it, on the CPU unless told otherwise, and checks its gradients by central differences. */
import type { Dialect } from '../../../evals/graph/op.ts'
import { gradients } from '../../../evals/graph/gradient.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Dtype, Shape, Value } from '../../../evals/graph/value.ts'
import type { Device } from '../../../evals/runtime/device.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import type { Feeds, Tensor } from '../../../evals/runtime/tensor.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

/** A tensor to feed: what the graph declares, what it is at run time, and its numbers. */
export interface Given {
  readonly dtype: Dtype
  readonly shape: Shape
  readonly dims: readonly number[]
  readonly values: readonly number[]
}

const size = (dims: readonly number[]): number => dims.reduce((a, b) => a * b, 1)

/** Numbers in general position: normal, from (label) alone. `shape` declares symbols where it differs from `dims`. */
export function generic(label: string, dims: readonly number[], shape: Shape = dims): Given {
  const stream = randomStream(5, label)
  const values = Array.from({ length: size(dims) }, () => stream.normal())
  return { dtype: 'float64', shape, dims, values }
}

/** Numbers in [0.5, 2.5): for logarithms, roots and divisors. */
export function positive(label: string, dims: readonly number[], shape: Shape = dims): Given {
  const stream = randomStream(6, label)
  const values = Array.from({ length: size(dims) }, () => 0.5 + 2 * stream.uniform())
  return { dtype: 'float64', shape, dims, values }
}

export const integers = (values: readonly number[], shape: Shape, dims?: number[]): Given => ({
  dtype: 'int32',
  shape,
  dims: dims ?? (shape as number[]),
  values,
})

/** Whole numbers from −4 to 4, in few bits. */
export const small = (
  dtype: 'int8' | 'float16',
  dims: readonly number[],
  shape: Shape = dims,
): Given => ({
  dtype,
  shape,
  dims,
  values: Array.from({ length: size(dims) }, (_, i) => (i % 9) - 4),
})

export const truths = (values: readonly number[], dims: readonly number[]): Given => ({
  dtype: 'bool',
  shape: dims,
  dims,
  values,
})

export const isFloating = ({ dtype }: Given): boolean => dtype === 'float64'

/** A float64 example's numbers in the dtype that `dialect` computes in. */
function tensorOf({ dtype, dims, values }: Given, dialect: Dialect): Tensor {
  if (dtype === 'int32') return { data: Int32Array.from(values), dims }
  if (dtype === 'bool') return { data: Uint8Array.from(values), dims }
  if (dtype === 'int8') return { data: Int8Array.from(values), dims }
  if (dtype === 'float16') return { data: Float16Array.from(values), dims }
  return {
    data: dialect.float === 'float64' ? Float64Array.from(values) : Float32Array.from(values),
    dims,
  }
}

const declare = (g: Graph, name: string, { dtype, shape }: Given): Value =>
  g.input(name, dtype === 'float64' ? g.float : dtype, shape)

export type Build = (g: Graph, inputs: readonly Value[]) => Readonly<Record<string, Value>>

interface Opened {
  readonly declared: Readonly<Record<string, Value>>
  run(given: readonly Given[]): Promise<Record<string, Tensor>>
  release(): Promise<void>
}

/** Opens `build` over the inputs of `given`; `run` may be called with other numbers of the same dtypes. */
async function openGraph(
  dialect: Dialect,
  given: readonly Given[],
  build: Build,
  device: Device = { name: 'cpu', threads: 1 },
): Promise<Opened> {
  const g = createGraph(dialect)
  const declared = build(
    g,
    given.map((each, i) => declare(g, `x${i}`, each)),
  )
  const runner = await createRunner(g, declared, { device, purpose: 'train' })
  return {
    declared,
    run(values) {
      const feeds: Feeds = Object.fromEntries(
        values.map((each, i) => [`x${i}`, tensorOf(each, dialect)]),
      )
      return runner.run(feeds)
    },
    release: () => runner.release(),
  }
}

/** One run of `build`. */
export async function runOnce(
  dialect: Dialect,
  given: readonly Given[],
  build: Build,
  device?: Device,
): Promise<Record<string, Tensor>> {
  const opened = await openGraph(dialect, given, build, device)
  const results = await opened.run(given)
  await opened.release()
  return results
}

/** Σ c·y over every output with fixed generic c, so that one scalar's gradient tests every element. */
export function weightedSum(g: Graph, outputs: readonly (readonly [Value, Value])[]): Value {
  const sums = outputs.map(([y, c]) => {
    const product = g.mul(y, c)
    const axes = y.shape.map((_, axis) => axis)
    return axes.length === 0 ? product : g.reduceSum(product, axes, { keepDims: false })
  })
  return sums.reduce((a, b) => g.add(a, b))
}

export interface LossGraph {
  /** Scalar loss of the inputs. */
  readonly loss: (g: Graph, inputs: readonly Value[]) => Value
  readonly given: readonly Given[]
  /** Indices of the inputs whose gradients are asked for. */
  readonly wrt: readonly number[]
}

export const lossAndGradients =
  ({ loss, wrt }: LossGraph): Build =>
  (g, inputs) => {
    const value = loss(g, inputs)
    const derivatives = gradients(
      g,
      value,
      wrt.map((i) => inputs[i]!),
    )
    return {
      loss: value,
      ...Object.fromEntries(derivatives.map((d, i) => [`d${wrt[i]!}`, d])),
    }
  }

interface GradientCheck {
  readonly input: number
  /** ‖g − g_num‖ / (‖g‖ + ‖g_num‖), docs/methods/README.md, G1. */
  readonly error: number
  readonly norm: number
  readonly declared: Shape
  readonly dims: readonly number[]
}

/** Central differences of every element of every asked input, against `gradients`. */
export async function checkGradients(
  dialect: Dialect,
  graph: LossGraph,
  h = 1e-5,
): Promise<GradientCheck[]> {
  const { given, wrt } = graph
  const opened = await openGraph(dialect, given, lossAndGradients(graph))
  const only = await openGraph(dialect, given, (g, inputs) => ({ loss: graph.loss(g, inputs) }))
  const analytic = await opened.run(given)
  const lossAt = async (input: number, element: number, step: number) => {
    const moved = given.with(input, {
      ...given[input]!,
      values: given[input]!.values.with(element, given[input]!.values[element]! + step),
    })
    return Number((await only.run(moved)).loss!.data[0])
  }
  const checks: GradientCheck[] = []
  for (const input of wrt) {
    const ours = analytic[`d${input}`]!
    const numeric: number[] = []
    for (let i = 0; i < given[input]!.values.length; i++)
      numeric.push(((await lossAt(input, i, h)) - (await lossAt(input, i, -h))) / (2 * h))
    checks.push({
      input,
      ...symmetricError(Array.from(ours.data, Number), numeric),
      declared: opened.declared[`d${input}`]!.shape,
      dims: ours.dims,
    })
  }
  await opened.release()
  await only.release()
  return checks
}

function symmetricError(a: readonly number[], b: readonly number[]) {
  const length = (x: readonly number[]) => Math.sqrt(x.reduce((sum, v) => sum + v * v, 0))
  const difference = length(a.map((v, i) => v - b[i]!))
  const norm = length(a)
  return { error: a.length === b.length ? difference / (norm + length(b) || 1) : Infinity, norm }
}
