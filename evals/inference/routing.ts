/** @file How a mixture routes a text: each expert's share of its tokens, and how undecided the router is. */
import { createGraph, type Graph } from '../graph/ops/index.ts'
import type { Value } from '../graph/value.ts'
import { createScope, forwardPass } from '../models/scope.ts'
import { fedStorage, keptData } from '../models/weights/small-weights.ts'
import { dialectOf, type Device } from '../runtime/device.ts'
import { createRunner } from '../runtime/session.ts'
import type { ModelState } from './cached-graph.ts'
import { int32 } from './feeds.ts'

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
  { model, frozen, method }: ModelState,
  device: Device,
  maxPositions: number,
): Promise<RoutingSession> {
  const g = createGraph(dialectOf(device))
  const scope = createScope(g, model.weights, {
    maxPositions,
    storage: fedStorage(frozen),
    attach: method?.attach,
    gate: method?.gate,
  })
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const attention = { kind: 'causal' } as const
  forwardPass(scope, model, { tokens, positions, attention, batch: 'batch', seq: 'seq' })
  const layers = [...scope.shares().values()].map((shares) => toWhole(g, shares))
  const sum = (values: readonly Value[]) => values.reduce((a, b) => g.add(a, b))
  const shares = sum(layers.map((w) => g.reduceSum(w, [0], { keepDims: false })))
  const entropy = sum(layers.map((w) => g.reduceSum(surprise(g, w), [0, 1], { keepDims: false })))
  const read = new Map(
    g.inputs.flatMap(({ name }) => {
      const data = keptData(frozen, name)
      return data ? [[name, data] as const] : []
    }),
  )
  const runner = await createRunner(
    g,
    { shares, entropy },
    { device, purpose: 'generate', frozen: read },
  )
  return {
    async route(ids) {
      const cut = ids.slice(0, maxPositions)
      const dims = [1, cut.length]
      const results = await runner.run({
        tokens: int32(cut, dims),
        positions: int32([...cut.keys()], dims),
      })
      const mean = (x: number | bigint) => Number(x) / (cut.length * layers.length)
      const [sums, [bits]] = [results.shares!.data, results.entropy!.data] as const
      return { shares: Array.from(sums as Float32Array, mean), entropy: mean(bits!) }
    },
    release: () => runner.release(),
  }
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
