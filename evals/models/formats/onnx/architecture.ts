/**
 * @file The architecture of a checkpoint with its own forward pass: its nodes are replayed on a graph that can be trained.
 */
import { z } from 'zod'
import type { FileNode } from '../../../graph/import/graph-file.ts'
import type { Item } from '../../../graph/import/item.ts'
import { replay, type Replay } from '../../../graph/import/replay.ts'
import { multiply } from '../../../graph/shape.ts'
import type { Value } from '../../../graph/value.ts'
import type { ForwardInput, ModelArchitecture, ModelScope } from '../../architecture.ts'
import type { OwnGraph } from './own-graph.ts'

export function graphArchitecture(graph: OwnGraph): ModelArchitecture {
  const head = headOf(graph)
  return {
    name: 'onnx',
    modelTypes: [],
    kind: 'decoder',
    config: z.unknown(),
    weights: () => graph.weights.map(({ spec }) => spec),
    forward(scope, input) {
      const wanted = head?.input ?? graph.ports.logits
      const hidden = replay(graph.file, wanted, replayOf(scope, input, graph))
      const rows = [multiply(...hidden.shape.slice(0, -1)), hidden.shape.at(-1)!]
      return { hiddenStates: scope.g.reshape(hidden, rows), present: [] }
    },
    logits: (scope, hidden) => (head ? scope.product(head.layer, hidden) : hidden),
    attention: () => graph.ports.layers,
    maxPositions: () => graph.maxPositions,
  }
}

const layerOf = (weight: string) => weight.slice(0, -'.weight'.length)

/** The linear layer that computes the logits; if there is none, the body includes the logits of every token. */
function headOf({ file, ports, weights, matrixOf }: OwnGraph) {
  const last = file.nodes.find(({ outputs }) => outputs.includes(ports.logits))
  const matrix = last?.opType === 'MatMul' ? matrixOf(last) : undefined
  const named = weights.find(({ initialiser }) => initialiser.name === matrix?.name)
  const isProduct = named && (named.spec.transposed === true) !== matrix!.isTurned
  return isProduct ? { layer: layerOf(named.spec.name), input: last!.inputs[0]! } : undefined
}

function replayOf(scope: ModelScope, input: ForwardInput, graph: OwnGraph): Replay {
  const { g } = scope
  const byName = new Map(graph.weights.map(({ initialiser, spec }) => [initialiser.name, spec]))
  return {
    g,
    inputs: inputsOf(scope, input, graph),
    weight(name) {
      const spec = byName.get(name)
      if (!spec) return undefined
      const weight = scope.weight(spec.name)
      return spec.transposed ? g.transpose(weight) : weight
    },
    linear(node: FileNode) {
      const matrix = graph.matrixOf(node)
      const spec = matrix && byName.get(matrix.name)
      if (!spec || (spec.transposed === true) === matrix.isTurned) return undefined
      return (x) => scope.product(layerOf(spec.name), x)
    },
  }
}

/** Inputs for whole texts without a past. Padding is masked, since some graphs compute a text's length from the mask. */
function inputsOf(
  { g }: ModelScope,
  { tokens, positions, attention, batch, seq }: ForwardInput,
  { ports }: OwnGraph,
): ReadonlyMap<string, Item> {
  const long = (x: Value) => g.cast(x, 'int64')
  const inputs = new Map<string, Item>([[ports.tokens.name, long(tokens!)]])
  const isText =
    attention.kind === 'packed'
      ? g.greaterOrEqual(attention.segments, g.constant([0], 'int32', []))
      : g.filled([batch, seq], 1)
  if (ports.mask) inputs.set(ports.mask.name, long(isText))
  if (ports.positions) inputs.set(ports.positions.name, long(positions))
  for (const { kvHeads, headDim, keys, values } of ports.layers) {
    const empty = g.filled([batch, kvHeads, 0, headDim], 0)
    inputs.set(keys.past, empty).set(values.past, empty)
  }
  return inputs
}
