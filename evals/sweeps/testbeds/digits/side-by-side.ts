/**
 * @file Networks of one shape, one a seed, trained side by side: every tensor has the seeds as its first axis, so that one
 * call of ONNX Runtime moves all of them by several steps. No sum runs over seeds.
 *
 * Full-batch Adam (β = 0.9, 0.999; ε = 1e-8) on each seed's L = mean cross-entropy + λ/2·‖θ‖², with sums in place of means:
 *
 *     g = ∇L    M ← β₁M + g    V ← β₂V + g²    θ ← θ − M / (√V·c_t + ε_t)
 *     a_t = η(1 − β₁)/(1 − β₁ᵗ)      c_t = √((1 − β₂)/(1 − β₂ᵗ)) / a_t      ε_t = ε / a_t
 */
import { gradients } from '../../../graph/gradient.ts'
import { createGraph, type Graph } from '../../../graph/ops/index.ts'
import type { Value } from '../../../graph/value.ts'
import { chooseDevice } from '../../../runtime/device.ts'
import { createRunner, type Runner } from '../../../runtime/session.ts'
import type { Feeds, Tensor } from '../../../runtime/tensor.ts'
import { CLASSES, PIXELS, type Rows } from './rows.ts'

/** Tensors by name; with the seeds as first axis. */
type Values = Readonly<Record<string, Value>>
export type Tensors = Readonly<Record<string, Tensor>>

export interface Network {
  /** Shapes of one seed's trained tensors, and of those that stay as they are. */
  readonly trained: Readonly<Record<string, readonly number[]>>
  readonly frozen?: Readonly<Record<string, readonly number[]>>
  /** x `[seeds, rows, 64]` → `[seeds, rows, 10]`. */
  logits(g: Graph, tensors: Values, x: Value): Value
}

const ADAM = { β1: 0.9, β2: 0.999, ε: 1e-8 }
/** Steps in one call. */
const STRIDE = 10
const MOMENTS = ['M', 'V'] as const
const SCALARS = ['root', 'ε'] as const

/** One tensor for each seed, `[...shape]`, joined to `[seeds, ...shape]`. */
export const joined = (shape: readonly number[], each: readonly Float32Array[]): Tensor => {
  const size = each[0]!.length
  const data = new Float32Array(each.length * size)
  each.forEach((part, seed) => data.set(part, seed * size))
  return { data, dims: [each.length, ...shape] }
}

export interface Training {
  /** The trained tensors as they are now. */
  readonly tensors: () => Tensors
  /** Moves every seed's network by `steps` steps. */
  advance(steps: number, signal?: AbortSignal): Promise<void>
  /** Logits of rows, one set of the same size for each seed, `[seeds][rows · 10]`. */
  logits(rows: readonly Rows[]): Promise<readonly Float32Array[]>
  release(): Promise<void>
}

export interface Start {
  readonly network: Network
  /** Trained and frozen, `[seeds, ...]`. */
  readonly tensors: Tensors
  /** One set of the same size for each seed. */
  readonly rows: readonly Rows[]
  readonly learningRate: number
  /** λ, a part of the loss as in torch.optim.Adam. */
  readonly weightDecay: number
}

export async function openTraining(start: Start): Promise<Training> {
  const [stride, single, asked] = await Promise.all([
    openSteps(start, STRIDE),
    openSteps(start, 1),
    openLogits(start),
  ])
  const fixed = { x: pixelsOf(start.rows), labels: labelsOf(start.rows) }
  let state: Tensors = { ...start.tensors, ...restingMoments(start) }
  let t = 0
  return {
    tensors: () => state,
    async advance(steps, signal) {
      for (let left = steps; left > 0;) {
        signal?.throwIfAborted()
        const [runner, count] = left >= STRIDE ? [stride, STRIDE] : [single, 1]
        const moved = await runner.run({ ...fixed, ...state, ...scalarsAt(start, t, count) })
        for (const [name, tensor] of Object.entries(moved))
          state = { ...state, [nameIn(name)]: tensor }
        t += count
        left -= count
      }
    },
    async logits(rows) {
      const { data } = (await asked.run({ ...state, x: pixelsOf(rows) }))['logits']!
      const size = data.length / rows.length
      return rows.map((_, seed) => (data as Float32Array).subarray(seed * size, (seed + 1) * size))
    },
    async release() {
      await Promise.all([stride, single, asked].map((runner) => runner.release()))
    },
  }
}

const open = (g: Graph, outputs: Values): Promise<Runner> =>
  createRunner(g, outputs, { device: chooseDevice('cpu', 1), purpose: 'train' })

const tensorsIn = (g: Graph, { network, rows }: Start): Record<string, Value> =>
  Object.fromEntries(
    Object.entries({ ...network.trained, ...network.frozen }).map(([name, shape]) => [
      name,
      g.input(name, 'float32', [rows.length, ...shape]),
    ]),
  )

function openLogits(start: Start): Promise<Runner> {
  const g = createGraph()
  const tensors = tensorsIn(g, start)
  const x = g.input('x', 'float32', [start.rows.length, 'rows', PIXELS])
  return open(g, { logits: start.network.logits(g, tensors, x) })
}

const momentsOf = ({ trained }: Network) =>
  Object.entries(trained).flatMap(([name, shape]) =>
    MOMENTS.map((kind) => ({ name: `${kind}:${name}`, shape })),
  )

const restingMoments = ({ network, rows }: Start): Tensors =>
  Object.fromEntries(
    momentsOf(network).map(({ name, shape }) => {
      const dims = [rows.length, ...shape]
      return [name, { data: new Float32Array(dims.reduce((a, b) => a * b)), dims }]
    }),
  )

const pixelsOf = (rows: readonly Rows[]): Tensor =>
  joined(
    [rows[0]!.labels.length, PIXELS],
    rows.map(({ x }) => x),
  )

const labelsOf = (rows: readonly Rows[]): Tensor => {
  const data = Int32Array.from(rows.flatMap(({ labels }) => labels))
  return { data, dims: [data.length] }
}

const outputOf = (name: string) => `new:${name}`
const nameIn = (output: string) => output.slice(outputOf('').length)

/** Every output replaces the input of its name. */
function openSteps(start: Start, count: number): Promise<Runner> {
  const { network, rows, weightDecay } = start
  const g = createGraph()
  const [seeds, size] = [rows.length, rows[0]!.labels.length]
  const names = Object.keys(network.trained)
  const moments = momentsOf(network)
  const tensors = tensorsIn(g, start)
  const x = g.input('x', 'float32', [seeds, size, PIXELS])
  const labels = g.input('labels', 'int32', [seeds * size])
  const weights = g.filled([seeds * size], 1 / size)
  for (const { name, shape } of moments) tensors[name] = g.input(name, 'float32', [seeds, ...shape])
  for (let step = 0; step < count; step++) {
    const logits = g.reshape(network.logits(g, tensors, x), [seeds * size, CLASSES])
    const wrt = names.map((name) => tensors[name]!)
    const slopes = gradients(g, g.crossEntropy(logits, labels, weights), wrt)
    const [root, ε] = SCALARS.map((name) => g.input(`${name}:${step}`, 'float32', []))
    names.forEach((name, i) => {
      const shrinking = g.mul(tensors[name]!, g.scalar(weightDecay))
      const slope = weightDecay === 0 ? slopes[i]! : g.add(slopes[i]!, shrinking)
      move(g, tensors, name, slope, [root!, ε!])
    })
  }
  const replaced = [...names, ...moments.map(({ name }) => name)]
  return open(g, Object.fromEntries(replaced.map((name) => [outputOf(name), tensors[name]!])))
}

/** One step of Adam on θ, M and V of `name` in `tensors`. */
function move(
  g: Graph,
  tensors: Record<string, Value>,
  name: string,
  slope: Value,
  [root, ε]: readonly [Value, Value],
): void {
  const [M, V] = MOMENTS.map((kind) => `${kind}:${name}`) as [string, string]
  tensors[M] = g.add(g.mul(tensors[M]!, g.scalar(ADAM.β1)), slope)
  tensors[V] = g.add(g.mul(tensors[V]!, g.scalar(ADAM.β2)), g.mul(slope, slope))
  const below = g.add(g.mul(g.sqrt(tensors[V]), root), ε)
  tensors[name] = g.sub(tensors[name]!, g.div(tensors[M], below))
}

/** c and ε of the `count` steps after step `t`. */
function scalarsAt({ learningRate }: Start, t: number, count: number): Feeds {
  const { β1, β2, ε } = ADAM
  const scalar = (value: number): Tensor => ({ data: Float32Array.of(value), dims: [] })
  const steps = Array.from({ length: count }, (_, step) => {
    const a = (learningRate * (1 - β1)) / (1 - β1 ** (t + step + 1))
    const c = Math.sqrt((1 - β2) / (1 - β2 ** (t + step + 1))) / a
    return [
      [`root:${step}`, scalar(c)],
      [`ε:${step}`, scalar(ε / a)],
    ] as const
  })
  return Object.fromEntries(steps.flat())
}
