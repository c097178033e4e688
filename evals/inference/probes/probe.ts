/** @file A graph that reads what is inside a model on whole texts, without a cache: built once, run on one batch after the other. */
import { createGraph, type Graph } from '../../graph/ops/index.ts'
import type { Value } from '../../graph/value.ts'
import { createScope } from '../../models/scope.ts'
import { fedStorage, keptData } from '../../models/weights/small-weights.ts'
import { dialectOf, type Device } from '../../runtime/device.ts'
import { createRunner, type Runner } from '../../runtime/session.ts'
import type { ModelState } from '../cached-graph.ts'

interface ProbeGraph {
  readonly g: Graph
  readonly scope: ReturnType<typeof createScope>
  readonly input: {
    readonly tokens: Value
    readonly positions: Value
    readonly attention: { readonly kind: 'causal' }
    readonly batch: 'batch'
    readonly seq: 'seq'
  }
}

/** Tokens and positions `[batch, seq]` are fed as `tokens` and `positions`; `read` gives the outputs. */
export function openProbe(
  { model, frozen, method = {} }: ModelState,
  device: Device,
  maxPositions: number,
  read: (graph: ProbeGraph) => Readonly<Record<string, Value>>,
): Promise<Runner> {
  const g = createGraph(dialectOf(device))
  const options = { maxPositions, storage: fedStorage(frozen), ...method }
  const scope = createScope(g, model.weights, options)
  const tokens = g.input('tokens', 'int32', ['batch', 'seq'])
  const positions = g.input('positions', 'int32', ['batch', 'seq'])
  const attention = { kind: 'causal' } as const
  const input = { tokens, positions, attention, batch: 'batch', seq: 'seq' } as const
  const outputs = read({ g, scope, input })
  const weights = new Map(
    g.inputs.flatMap(({ name }) => {
      const data = keptData(frozen, name)
      return data ? [[name, data] as const] : []
    }),
  )
  return createRunner(g, outputs, { device, purpose: 'generate', frozen: weights })
}
