/**
 * @file Applies a model file's nodes to one of our graphs, so that they can be differentiated. Known values are folded; all
 * other nodes go through `OPERATORS`. The error names every operator without a gradient.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { needed } from '../encode.ts'
import type { Graph } from '../ops/index.ts'
import { multiply } from '../shape.ts'
import { isFloat, type Value } from '../value.ts'
import { fold } from './fold.ts'
import type { FileNode, FileTensor, GraphFile } from './graph-file.ts'
import { asValue, isKnown, type Item, type NodeContext } from './item.ts'
import { known, numbersOf, sizeOf } from './known.ts'
import { OPERATORS } from './operators.ts'

export interface Replay {
  readonly g: Graph
  /** Values of the file's inputs. */
  readonly inputs: ReadonlyMap<string, Item>
  /** A weight initialiser in the file's layout; undefined for constants. */
  weight(name: string): Value | undefined
  /** The linear layer whose matrix this node multiplies by, for x `[rows, in]`; undefined if it is none. */
  linear(node: FileNode): ((x: Value) => Value) | undefined
}

/** The value named `wanted` in the file. */
export function replay(file: GraphFile, wanted: string, of: Replay): Value {
  const refused = new Map<string, string[]>()
  const items = new Map<string, Item>(of.inputs)
  const itemOf = (name: string): Item | undefined => {
    if (name === '') return undefined
    const found = items.get(name) ?? initialiser(file, name, of)
    items.set(name, found)
    return found
  }
  // Outputs of refused nodes are missing. Nodes that read them are reported only if their operator is unknown.
  const lost = new Set<string>()
  const lose = ({ name, outputs }: FileNode, why: string | undefined) => {
    outputs.forEach((output) => lost.add(output))
    if (why !== undefined) refused.set(why, [...(refused.get(why) ?? []), name])
  }
  for (const node of needed(file.nodes, [wanted])) {
    if (node.inputs.some((name) => lost.has(name))) {
      lose(node, isMissing(node) ? titleOf(node) : undefined)
      continue
    }
    try {
      const results = linearOf(node, itemOf, of) ?? applied(file.path, node, itemOf, of.g)
      node.outputs.forEach((name, i) => results[i] && items.set(name, results[i]))
    } catch (error) {
      if (error instanceof TouchstoneError) throw error
      // Shapes that do not fit or missing inputs are faults of the file, whatever error the operator throws.
      lose(node, error instanceof Refusal ? error.message : `${titleOf(node)} on these inputs`)
    }
  }
  if (refused.size > 0) throw noGradient(file.path, refused)
  return asValue(of.g, itemOf(wanted)!)
}

/** Why a node cannot be replayed. */
class Refusal extends Error {}

function noGradient(path: string, refused: ReadonlyMap<string, readonly string[]>) {
  const operators = [...refused].map(
    ([what, nodes]) => `${what} (${nodes.length}, first "${nodes[0]}")`,
  )
  return new TouchstoneError('onnx.no-gradient', { path, operators })
}

const titleOf = ({ domain, opType }: FileNode) => (domain === '' ? opType : `${domain}:${opType}`)

const isMissing = (node: FileNode) => !Object.hasOwn(OPERATORS, titleOf(node))

/** Longer constants are added to the graph at once, so that each is stored once. */
const SHORT = 16

function initialiser({ path, initialisers }: GraphFile, name: string, of: Replay): Item {
  const weight = of.weight(name)
  if (weight) return weight
  const tensor = initialisers.get(name)
  if (!tensor) throw new Error(`internal: "${name}" was asked for before it was made`)
  return constant(path, tensor, of.g)
}

function constant(path: string, tensor: FileTensor, g: Graph): Item {
  const { name, dtype, dims } = tensor
  const numbers = numbersOf(tensor)
  if (!numbers || dtype === undefined) {
    throw new TouchstoneError('checkpoint.unsupported', {
      path,
      what: `for the constant "${name}" the storage type`,
      found: dtype ?? 'unknown',
      supported: 'float32, float64, int64, int32, bool',
    })
  }
  const item = known(dtype, dims, numbers)
  return sizeOf(dims) > SHORT && isFloat(dtype) ? asValue(g, item) : item
}

function linearOf(
  node: FileNode,
  itemOf: (name: string) => Item | undefined,
  of: Replay,
): readonly Item[] | undefined {
  const layer = of.linear(node)
  if (!layer) return undefined
  const { g } = of
  const x = asValue(g, itemOf(node.inputs[0]!)!)
  const rows = g.reshape(x, [multiply(...x.shape.slice(0, -1)), x.shape.at(-1)!])
  const product = layer(rows)
  const y = g.reshape(product, [...x.shape.slice(0, -1), product.shape[1]!])
  const bias = itemOf(node.inputs[2] ?? '')
  return [bias ? g.add(y, asValue(g, bias)) : y]
}

function applied(
  path: string,
  node: FileNode,
  itemOf: (name: string) => Item | undefined,
  g: Graph,
): readonly Item[] {
  const inputs = node.inputs.map(itemOf)
  const context: NodeContext = {
    g,
    node,
    inputs,
    value: (index) => asValue(g, inputs[index]!),
    entries: (index) => {
      const item = inputs[index]
      return item && isKnown(item) ? item.entries : undefined
    },
    number: (name, otherwise) => {
      const found = node.attributes.get(name)
      return typeof found === 'number' ? found : otherwise
    },
    numbers: (name) => {
      const found = node.attributes.get(name)
      return Array.isArray(found) ? (found as readonly number[]) : undefined
    },
    refuse: (why) => new Refusal(`${titleOf(node)} with ${why}`),
  }
  if (node.opType === 'Constant') return [literal(path, node, g, context)]
  const folded = fold(context)
  if (folded) return folded
  if (isMissing(node)) throw new Refusal(titleOf(node))
  return OPERATORS[titleOf(node)]!(context)
}

function literal(path: string, { attributes }: FileNode, g: Graph, context: NodeContext): Item {
  const [name, found] = [...attributes][0] ?? []
  if (typeof found === 'number')
    return known(name === 'value_float' ? 'float32' : 'int64', [], [found])
  if (Array.isArray(found)) {
    const dtype = name === 'value_floats' ? 'float32' : 'int64'
    return known(dtype, [found.length], found as readonly number[])
  }
  if (typeof found === 'object' && 'place' in found) return constant(path, found, g)
  throw context.refuse('a text or a subgraph')
}
