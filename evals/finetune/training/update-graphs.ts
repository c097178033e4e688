/**
 * @file Graphs over tensors in a device's memory for the rest of a step: the sum of two gradients, sums of squares, and AdamW of
 * `graph/optimizer.ts` in float32.
 *
 * Outputs (`sum`, `m`, `v`, `p`) overwrite inputs, because separate outputs would double the memory. WebGPU forbids a kernel that
 * reads and writes the same buffer (ONNX Runtime over lavapipe allows it). Each such input is therefore first multiplied, if
 * only by an input of 1, into a temporary buffer, and the result is computed from that buffer.
 */
import { PORTABLE } from '../../graph/op.ts'
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { AdamWConfig, ParameterGroup } from '../../graph/optimizer.ts'
import type { Value } from '../../graph/value.ts'
import type { Device } from '../../runtime/device.ts'
import { createRunner, type Runner } from '../../runtime/session.ts'
import type { Feeds } from '../../runtime/tensor.ts'
import type { ParameterSlice } from './parameters.ts'

/** A trained tensor with its learning-rate factor and decay. */
export interface Moved extends ParameterGroup {
  readonly slice: ParameterSlice
}

/** Name of the output that replaces the input `name`. */
export const renewed = (name: string): string => `new:${name}`

type Outputs = Record<string, Value>

const open = (g: Graph, outputs: Outputs, device: Device): Promise<Runner> =>
  createRunner(g, outputs, { device, purpose: 'train' })

const tensor = (g: Graph, kind: string, { slice: { name, shape } }: Moved): Value =>
  g.input(`${kind}:${name}`, 'float32', shape)

const scalars = (g: Graph, names: readonly string[]): Value[] =>
  names.map((name) => g.input(name, 'float32', []))

const scalarFeeds = (numbers: Readonly<Record<string, number>>): Feeds =>
  Object.fromEntries(
    Object.entries(numbers).map(([name, value]) => [
      name,
      { data: Float32Array.of(value), dims: [] },
    ]),
  )

export const sumFeeds: Feeds = scalarFeeds({ one: 1 })

/** `sum:NAME` ← `sum:NAME` + `g:NAME`. */
export function openSum(moved: readonly Moved[], device: Device): Promise<Runner> {
  const g = createGraph(PORTABLE)
  const [one] = scalars(g, ['one'])
  const outputs: Outputs = {}
  for (const each of moved) {
    const sum = tensor(g, 'sum', each)
    outputs[renewed(sum.name)] = g.add(g.mul(sum, one!), tensor(g, 'g', each))
  }
  return open(g, outputs, device)
}

/** Longest float32 sum: longer ones lose digits, and a device computes each in one thread. */
const LONGEST_SUM = 1024

/** `squares` `[any]` of `g:NAME`: numbers whose sum is ‖g‖². */
export function openSquares(moved: readonly Moved[], device: Device): Promise<Runner> {
  const g = createGraph(PORTABLE)
  const parts = moved.map((each) => {
    const d = tensor(g, 'g', each)
    return partialSums(g, g.mul(d, d), each.end - each.start)
  })
  return open(g, { squares: g.concat(parts, 0) }, device)
}

/** Partial sums `[any]`, summed again until at most `LONGEST_SUM` are left. */
function partialSums(g: Graph, x: Value, count: number): Value {
  const width = widthOf(count)
  const sums = g.reduceSum(g.reshape(x, [count / width, width]), [1], { keepDims: false })
  return count / width > LONGEST_SUM ? partialSums(g, sums, count / width) : sums
}

/** Largest divisor of `count` up to `LONGEST_SUM`, or `count` if there is none above 1. */
function widthOf(count: number): number {
  for (let width = Math.min(LONGEST_SUM, count); width > 1; width--)
    if (count % width === 0) return width
  return count
}

const GROUP_SCALARS = ['step', 'decay'] as const
const SCALARS = ['one', 'clip', 'β1', '1-β1', 'β2', '1-β2', 'ε', 'correction2'] as const

/** Smallest normal float32: a device may round smaller values of ε to 0, and divide 0 by 0 where a gradient is 0. */
const LEAST_EPSILON = 2 ** -126

export interface AdamWGraph {
  readonly runner: Runner
  /** At step `t`, counted from 1, by `gradientScale`·g. */
  readonly feeds: (
    config: AdamWConfig,
    t: number,
    learningRate: number,
    gradientScale: number,
  ) => Feeds
}

/** `p:NAME`, `m:NAME` and `v:NAME` moved by `g:NAME`. */
export async function openAdamW(moved: readonly Moved[], device: Device): Promise<AdamWGraph> {
  const g = createGraph(PORTABLE)
  const shared = scalars(g, SCALARS)
  const outputs: Outputs = {}
  const groups = new Map<string, { group: ParameterGroup; values: Value[] }>()
  for (const each of moved) {
    const key = groupKey(each)
    if (!groups.has(key)) {
      const names = GROUP_SCALARS.map((name) => `${name}:${key}`)
      groups.set(key, { group: each, values: scalars(g, names) })
    }
    Object.assign(outputs, movedBy(g, each, shared, groups.get(key)!.values))
  }
  return {
    runner: await open(g, outputs, device),
    feeds(config, t, learningRate, gradientScale) {
      const numbers = sharedNumbers(config, t, gradientScale)
      for (const [key, { group }] of groups) {
        const rate = learningRate * group.learningRateScale
        numbers[`step:${key}`] = rate / (1 - config.beta1 ** t)
        numbers[`decay:${key}`] = group.decays ? rate * config.weightDecay : 0
      }
      return scalarFeeds(numbers)
    },
  }
}

const sharedNumbers = (
  { beta1, beta2, epsilon }: AdamWConfig,
  t: number,
  gradientScale: number,
): Record<string, number> => ({
  one: 1,
  clip: gradientScale,
  β1: beta1,
  '1-β1': 1 - beta1,
  β2: beta2,
  '1-β2': 1 - beta2,
  ε: Math.max(epsilon, LEAST_EPSILON),
  correction2: Math.sqrt(1 - beta2 ** t),
})

const groupKey = ({ learningRateScale, decays }: ParameterGroup): string =>
  `${learningRateScale}${decays ? ':decays' : ''}`

/** θ − (λη·θ + η/(1−β1ᵗ)·m / (√v/√(1−β2ᵗ) + ε)); the factor 1 − λη would lose digits of λη in float32. */
function movedBy(
  g: Graph,
  each: Moved,
  [one, clip, β1, rest1, β2, rest2, ε, correction2]: readonly Value[],
  [step, decay]: readonly Value[],
): Outputs {
  const [p, m, v] = ['p', 'm', 'v'].map((kind) => tensor(g, kind, each))
  const d = g.mul(tensor(g, 'g', each), clip!)
  const first = g.add(g.mul(m!, β1!), g.mul(d, rest1!))
  const second = g.add(g.mul(v!, β2!), g.mul(g.mul(d, d), rest2!))
  const root = g.add(g.div(g.sqrt(second), correction2!), ε!)
  const change = g.add(g.mul(p!, decay!), g.div(g.mul(first, step!), root))
  return {
    [renewed(m!.name)]: first,
    [renewed(v!.name)]: second,
    [renewed(p!.name)]: g.sub(g.mul(p!, one!), change),
  }
}
