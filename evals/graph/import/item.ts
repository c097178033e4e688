/** @file What a name of the file stands for while its nodes are replayed, and what a node's operator is given of it. */
import type { Attributes, Op } from '../op.ts'
import type { Graph } from '../ops/index.ts'
import { isFloat, type Dim, type Dtype, type Shape, type Value } from '../value.ts'
import type { FileNode } from './graph-file.ts'
import type { Known } from './known.ts'

export type Item = Value | Known

export const isKnown = (item: Item): item is Known => 'entries' in item

export interface NodeContext {
  readonly g: Graph
  readonly node: FileNode
  /** Absent optional inputs are undefined. */
  readonly inputs: readonly (Item | undefined)[]
  /** An input that must be there, as a value. */
  readonly value: (index: number) => Value
  /** An input's numbers or sizes, where they are known. */
  readonly entries: (index: number) => readonly Dim[] | undefined
  readonly number: (attribute: string, otherwise: number) => number
  readonly numbers: (attribute: string) => readonly number[] | undefined
  /** Refuses the node by name. */
  readonly refuse: (why: string) => Error
}

/** Its outputs, in order. */
export type Operator = (context: NodeContext) => readonly Item[]

/** A node as it stands in the file, behind which no gradient is asked for: positions, masks, comparisons. */
const Opaque: Op<{ node: string; attributes: Attributes; type: { dtype: Dtype; shape: Shape } }> = {
  name: 'Opaque',
  infer: (_, { type }) => ({ outputs: [type] }),
  emit: ({ e, inputs, attributes: { node, attributes } }) => ({
    outputs: e.node(node, inputs, attributes),
  }),
  vjp: 'none',
}

/** Sizes with names, int64 `[n]`. */
const Sizes: Op<Shape> = {
  name: 'Sizes',
  infer: (_, shape) => ({ outputs: [{ dtype: 'int64', shape: [shape.length] }] }),
  // A copy, because the sizes themselves may be fed.
  emit: ({ e, attributes: shape }) => ({ outputs: e.node('Identity', [e.shape(shape)]) }),
  vjp: 'none',
}

export function opaque(
  g: Graph,
  node: string,
  inputs: readonly Value[],
  type: { dtype: Dtype; shape: Shape },
  attributes: Attributes = {},
): Value {
  return g.apply(Opaque, inputs, { node, attributes, type })[0]!
}

export const sizesOf = (g: Graph, shape: Shape): Value => g.apply(Sizes, [], shape)[0]!

/** Whatever is known, as a value in the graph. Floats are in the graph's own. */
export function asValue(g: Graph, item: Item): Value {
  if (!isKnown(item)) return item
  const { dims, entries } = item
  const dtype = isFloat(item.dtype) ? g.float : item.dtype
  if (entries.every((entry) => typeof entry === 'number')) {
    const data = dtype === 'float32' && entries.length > 16 ? Float32Array.from(entries) : entries
    return g.constant(data, dtype, dims)
  }
  const sizes = sizesOf(g, entries)
  const shaped = dims.length === 1 ? sizes : g.reshape(sizes, dims)
  return dtype === 'int64' ? shaped : g.cast(shaped, dtype)
}
