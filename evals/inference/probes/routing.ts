/** @file How a mixture routes a text: each expert's share of its tokens, and how undecided the router is. */
import type { Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { forwardPass } from '../../models/scope.ts'
import type { Device } from '../../runtime/device.ts'
import type { ModelState } from '../cached-graph.ts'
import { int32 } from '../feeds.ts'
import { openProbe } from './probe.ts'

/** Means over a text's tokens and the mixture's layers, of shares that add up to 1. */
export interface Routed {
  /** `[experts]`. */
  readonly shares: readonly number[]
  /** −Σ w·ln w, nats; ln(experts) where all count alike. */
  readonly entropy: number
}

interface RoutingSession {
  route(ids: readonly number[]): Promise<Routed>
  release(): Promise<void>
}

const SMALLEST = 1e-12

export async function openRouting(
  state: ModelState,
  device: Device,
  maxPositions: number,
): Promise<RoutingSession> {
  let layers = 0
  const runner = await openProbe(state, device, maxPositions, ({ g, scope, input }) => {
    forwardPass(scope, state.model, input)
    const all = [...scope.shares().values()].map((shares) => toWhole(g, shares))
    layers = all.length
    return sumsOf(g, all)
  })
  return {
    async route(ids) {
      const cut = ids.slice(0, maxPositions)
      const dims = [1, cut.length]
      const results = await runner.run({
        tokens: int32(cut, dims),
        positions: int32([...cut.keys()], dims),
      })
      const mean = (x: number | bigint) => Number(x) / (cut.length * layers)
      const [sums, [nats]] = [results.shares!.data, results.entropy!.data] as const
      return { shares: Array.from(sums as Float32Array, mean), entropy: mean(nats!) }
    },
    release: () => runner.release(),
  }
}

/** Sums over the rows of a text and the layers of the mixture. */
function sumsOf(g: Graph, all: readonly Value[]) {
  const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b))
  const shares = sum(all.map((w) => g.reduceSum(w, [0], { keepDims: false })))
  const entropy = sum(all.map((w) => g.reduceSum(surprise(g, w), [0, 1], { keepDims: false })))
  return { shares, entropy }
}

/** Rows that add up to 1: the top k are not renormalised, and without a softmax nothing is. */
function toWhole(g: Graph, shares: Value): Value {
  const total = g.reduceSum(shares, [1], { keepDims: true })
  return g.div(shares, g.add(total, g.scalar(SMALLEST)))
}

const surprise = (g: Graph, w: Value): Value => {
  const above = g.where(g.greaterOrEqual(w, g.scalar(SMALLEST)), w, g.scalar(SMALLEST))
  return g.neg(g.mul(w, g.log(above)))
}
