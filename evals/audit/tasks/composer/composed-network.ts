/**
 * @file A denoiser whose canvas has regions with weights of their own, as graphs: the noise, the attention in it, and the
 * gradient of a loss on that attention with respect to the canvas.
 */
import { gradients } from '../../../graph/gradient.ts'
import { createGraph } from '../../../graph/ops/index.ts'
import type { Graph } from '../../../graph/ops/index.ts'
import { multiply } from '../../../graph/shape.ts'
import type { Value } from '../../../graph/value.ts'
import type { NetworkState } from '../../../inference/subject.ts'
import type { AttentionMaps } from '../../../models/diffusion/layout-loss.ts'
import {
  patchesIn,
  patchNoise,
  type PatchRegion,
  type PatchShape,
  type SeenAttention,
} from '../../../models/diffusion/patch-network.ts'
import { createScope } from '../../../models/scope.ts'
import { dialectOf } from '../../../runtime/device.ts'
import { createRunner, type Runner } from '../../../runtime/session.ts'
import type { Feeds } from '../../../runtime/tensor.ts'

type Weights = NetworkState['weights']

/** Canvases that are computed together. */
export interface Canvases {
  /** `[side²]` each. */
  readonly x: readonly ArrayLike<number>[]
  readonly t: number
  /** Of each canvas, words of each region. */
  readonly prompts: readonly (readonly (readonly number[])[])[]
  /** Of each canvas, shares of each region and what is added to scores between patches. */
  readonly layouts: readonly {
    readonly shares: readonly Float32Array[]
    readonly bias: Float32Array
  }[]
}

export interface ComposedNetwork {
  noise(canvases: Canvases): Promise<Float32Array[]>
  maps(canvases: Canvases): Promise<AttentionMaps[]>
  /** Of Σ maps·gradients, with respect to x. */
  gradient(canvases: Canvases, ofMaps: readonly AttentionMaps[]): Promise<Float32Array[]>
  release(): Promise<void>
}

/** @param weights of each region */
export function composedNetwork(state: NetworkState, weights: readonly Weights[]): ComposedNetwork {
  const c = state.model.config as PatchShape
  const n = patchesIn(c)
  const opened = new Map<Kind, Promise<Runner>>()
  const run = async (kind: Kind, feeds: Feeds) => {
    if (!opened.has(kind)) opened.set(kind, open(kind, state, weights))
    const runner = await opened.get(kind)!
    const fed = Object.entries(feeds).filter(([name]) => runner.inputs.includes(name))
    return runner.run(Object.fromEntries(fed))
  }
  return {
    async noise(canvases) {
      const { y } = await run('noise', feedsOf(canvases, c))
      return rowsOf(y!, canvases.x.length)
    },
    async maps(canvases) {
      const count = canvases.x.length
      const { self, ...cross } = await run('maps', feedsOf(canvases, c))
      const ofRegions = weights.map((_, r) => rowsOf(cross[crossName(r)]!, count))
      return rowsOf(self!, count).map((between, i) => ({
        self: between,
        cross: ofRegions.map((rows) => rows[i]!),
      }))
    },
    async gradient(canvases, ofMaps) {
      const count = canvases.x.length
      const fed = weights.map((_, r): [string, Feeds[string]] => {
        const data = joined(ofMaps.map(({ cross }) => cross[r]!))
        return [`d-${crossName(r)}`, { data, dims: [count, n] }]
      })
      const self = { data: joined(ofMaps.map((maps) => maps.self)), dims: [count, n, n] }
      const own = Object.fromEntries([...fed, ['d-self', self]])
      const { dx } = await run('gradient', { ...feedsOf(canvases, c), ...own })
      return rowsOf(dx!, count)
    },
    async release() {
      for (const runner of opened.values()) await (await runner).release()
    },
  }
}

type Kind = keyof typeof OUTPUTS

function open(
  kind: Kind,
  { model, device }: NetworkState,
  weights: readonly Weights[],
): Promise<Runner> {
  const c = model.config as PatchShape
  const g = createGraph(dialectOf(device))
  const outputs = OUTPUTS[kind](built(g, model, weights.length, c), g, c)
  const read = new Set(g.inputs.map(({ name }) => name))
  const all = weights.flatMap((own, r) =>
    [...own].map(([name, data]) => [named(r, name), data] as const),
  )
  const frozen = new Map(all.filter(([name]) => read.has(name)))
  return createRunner(g, outputs, { device, purpose: 'generate', frozen })
}

function rowsOf({ data }: Feeds[string], count: number): Float32Array[] {
  const all = data as Float32Array
  const width = all.length / count
  return Array.from({ length: count }, (_, i) => all.slice(i * width, (i + 1) * width))
}

const named = (region: number, name: string) => `${region}:${name}`
const crossName = (region: number) => `cross-${region}`

interface Built {
  readonly x: Value
  readonly y: Value
  readonly seen: SeenAttention
}

function built(g: Graph, model: NetworkState['model'], count: number, c: PatchShape): Built {
  const [batch, n] = ['batch', patchesIn(c)]
  const x = g.input('x', g.float, [batch, c.side ** 2])
  const t = g.input('t', g.float, [batch, 1])
  const bias = g.input('bias', g.float, [batch, 1, n, n])
  const regions = Array.from({ length: count }, (_, r): PatchRegion => {
    const own: Graph = { ...g, input: (name, ...type) => g.input(named(r, name), ...type) }
    return {
      scope: createScope(own, model.weights, { maxPositions: 1 }),
      prompt: g.input(`prompt-${r}`, 'int32', [batch, c.prompt_length]),
      share: g.input(`share-${r}`, g.float, [multiply(batch, n), 1]),
    }
  })
  const seen = { bias, self: [], cross: regions.map(() => []) }
  return { x, seen, y: patchNoise(regions, { x, t, batch }, c, seen) }
}

/** Means over blocks and heads. */
function mapsIn({ seen }: Built, g: Graph, c: PatchShape) {
  const n = patchesIn(c)
  const mean = (all: readonly Value[]) => {
    const sums = all.map((P) => g.reduceSum(P, [1], { keepDims: false }))
    const sum = sums.reduce((total, each) => g.add(total, each))
    return g.mul(sum, g.scalar(1 / (all.length * c.num_attention_heads)))
  }
  const cross = seen.cross.map((all) =>
    g.reshape(mean(all.map((P) => g.slice(P, 3, 0, 1))), ['batch', n]),
  )
  return { self: mean(seen.self), cross }
}

const OUTPUTS = {
  noise: ({ y }: Built) => ({ y }),
  maps(from: Built, g: Graph, c: PatchShape) {
    const { self, cross } = mapsIn(from, g, c)
    return { self, ...Object.fromEntries(cross.map((map, r) => [crossName(r), map])) }
  },
  gradient(from: Built, g: Graph, c: PatchShape) {
    const { self, cross } = mapsIn(from, g, c)
    const given = (name: string, map: Value) => g.input(`d-${name}`, g.float, map.shape)
    const ofMaps = new Map([
      [self, given('self', self)],
      ...cross.map((map, r) => [map, given(crossName(r), map)] as const),
    ])
    return { dx: gradients(g, ofMaps, [from.x])[0]! }
  },
} satisfies Record<string, (from: Built, g: Graph, c: PatchShape) => Record<string, Value>>

function feedsOf({ x, t, prompts, layouts }: Canvases, c: PatchShape): Feeds {
  const [count, n] = [x.length, patchesIn(c)]
  const ofRegions = prompts[0]!.flatMap((_, r): [string, Feeds[string]][] => [
    [
      `prompt-${r}`,
      {
        data: Int32Array.from(prompts.flatMap((words) => words[r]!)),
        dims: [count, c.prompt_length],
      },
    ],
    [`share-${r}`, { data: joined(layouts.map(({ shares }) => shares[r]!)), dims: [count * n, 1] }],
  ])
  return {
    x: { data: joined(x), dims: [count, c.side ** 2] },
    t: { data: new Float32Array(count).fill(t), dims: [count, 1] },
    bias: { data: joined(layouts.map(({ bias }) => bias)), dims: [count, 1, n, n] },
    ...Object.fromEntries(ofRegions),
  }
}

function joined(parts: readonly ArrayLike<number>[]): Float32Array {
  const all = new Float32Array(parts.reduce((sum, { length }) => sum + length, 0))
  let at = 0
  for (const part of parts) {
    all.set(part, at)
    at += part.length
  }
  return all
}
