/** @file The values of a file's names during replay, and the context of a node's operator. */
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
  /** A required input, as a value. */
  readonly value: (index: number) => Value
  /** An input's numbers or sizes, if known. */
  readonly entries: (index: number) => readonly Dim[] | undefined
  readonly number: (attribute: string, otherwise: number) => number
  readonly numbers: (attribute: string) => readonly number[] | undefined
  /** The error that refuses the node. */
  readonly refuse: (why: string) => Error
}

/** Returns the outputs in order. */
export type Operator = (context: NodeContext) => readonly Item[]

/** A node copied from the file without a gradient: positions, masks, comparisons. */
const Opaque: Op<{ node: string; attributes: Attributes; type: { dtype: Dtype; shape: Shape } }> = {
  name: 'Opaque',
  infer: (_, { type }) => ({ outputs: [type] }),
  emit: ({ e, inputs, attributes: { node, attributes } }) => ({
    outputs: e.node(node, inputs, attributes),
  }),
  vjp: 'none',
}

/** Symbolic sizes as a tensor, int64 `[n]`. */
const Sizes: Op<Shape> = {
  name: 'Sizes',
  infer: (_, shape) => ({ outputs: [{ dtype: 'int64', shape: [shape.length] }] }),
  // A copy, because the sizes may be an input.
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

/** A known item as a value of the graph. Floats take the graph's dtype. */
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
