/** @file Writes ONNX nodes into a graph: fresh names, reads of stored weights, and run-time values of symbolic shapes. */
import type { AddNode, Attributes, Dialect, Domain, Emitter, RuleGraph } from './op.ts'
import { int8Products } from './ops/int8-product.ts'
import { nf4Products } from './ops/nf4-product.ts'
import { blockProducts } from './storage/blocks.ts'
import { readingStored, type StoredWeights } from './storage/stored.ts'
import type { Dtype, Shape, Value } from './value.ts'

export interface OnnxNode {
  readonly domain: Domain
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: Attributes
}

/** The graph under construction. */
interface Target {
  readonly dialect: Dialect
  readonly inputs: readonly Value[]
  readonly nodes: OnnxNode[]
  readonly shapeInputs: Map<string, Shape>
  readonly stored: StoredWeights
  /** Names of the values of shape `[]`. */
  readonly scalars: ReadonlySet<string>
  input(name: string, dtype: Dtype, shape: Shape): Value
  readonly constant: RuleGraph['constant']
  /** A name that no other value has. */
  readonly fresh: (stem: string) => string
}

export function createEmitter(target: Target): Emitter {
  const { dialect, constant, nodes, shapeInputs, stored, scalars, fresh } = target
  const addNode =
    (domain: Domain): AddNode =>
    (opType, inputs, attributes = {}, count = 1) => {
      const outputs = Array.from({ length: count }, () => fresh(opType))
      nodes.push({ domain, opType, inputs, outputs, attributes })
      return outputs
    }
  const ours = addNode('touchstone')
  const own = { add: addNode(''), own: ours, float: dialect.float, constant }
  const reading = (domain: Domain) => readingStored(addNode(domain), own, stored, scalars)
  const making = { addNode, constant }
  const inBlocks = blockProducts(reading('com.microsoft'), making, stored)
  const products = nf4Products(inBlocks, making, stored)
  const emitter: Emitter = {
    dialect,
    node: reading(''),
    contrib: int8Products(products, making, stored),
    own: ours,
    int64: (values) => constant(values, 'int64', [values.length]).name,
    scalar: (value) => constant([value], dialect.float, []).name,
    shape(shape) {
      if (shape.every((dim) => typeof dim === 'number')) return emitter.int64(shape)
      if (dialect.shapes === 'computed') return computedShape(emitter, shape, sizeOf)
      const name = `shape:${shape.join(',')}`
      if (!shapeInputs.has(name)) target.input(name, 'int64', [shape.length])
      shapeInputs.set(name, shape)
      return name
    },
  }
  const sizeOf = sizeReader(target.inputs, emitter)
  return emitter
}

/** A symbol's value, int64 `[1]`, read from the shape of an input that has it. */
function sizeReader(inputs: readonly Value[], e: Emitter): (symbol: string) => string {
  const known = new Map<string, string>()
  return (symbol) => {
    const source = inputs.find(({ shape }) => shape.includes(symbol))
    if (!source) throw new Error(`internal: no input carries the dimension "${symbol}"`)
    const start = source.shape.indexOf(symbol)
    const size = known.get(symbol) ?? e.node('Shape', [source.name], { start, end: start + 1 })[0]!
    known.set(symbol, size)
    return size
  }
}

/** Nodes that multiply the factors of each dimension and concatenate the dimensions. */
function computedShape(e: Emitter, shape: Shape, sizeOf: (symbol: string) => string): string {
  const dims = shape.map((dim) => {
    const parts = String(dim).split('*')
    const factors = parts.map((part) =>
      /^\d+$/u.test(part) ? e.int64([Number(part)]) : sizeOf(part),
    )
    return factors.reduce((a, b) => e.node('Mul', [a, b])[0]!)
  })
  return dims.length === 1 ? dims[0]! : e.node('Concat', dims, { axis: 0 })[0]!
}
