/** @file Encodes a graph as ONNX bytes, leaving out nodes that no output needs. */
import onnxProto from 'onnx-proto'
import type { GraphCore } from './builder.ts'
import type { OnnxNode } from './emitter.ts'
import type { AttributeValue } from './op.ts'
import type { Dtype, Value } from './value.ts'

const { onnx } = onnxProto
const { DataType } = onnx.TensorProto
const { AttributeType } = onnx.AttributeProto

const ONNX_DTYPE: Readonly<Record<Dtype, number>> = {
  float32: DataType.FLOAT,
  float64: DataType.DOUBLE,
  float16: DataType.FLOAT16,
  bfloat16: DataType.BFLOAT16,
  int64: DataType.INT64,
  int32: DataType.INT32,
  bool: DataType.BOOL,
  int8: DataType.INT8,
  uint8: DataType.UINT8,
}
/** ONNX's number of a type. */
export const dtypeNumber = (dtype: Dtype): number => ONNX_DTYPE[dtype]
/** The dtype of an ONNX type number, or undefined for types without a `Dtype`. */
export const dtypeOf = (number: number): Dtype | undefined =>
  (Object.keys(ONNX_DTYPE) as Dtype[]).find((dtype) => ONNX_DTYPE[dtype] === number)

const OPSET = 21
const IR_VERSION = 10

/** A weight in a buffer passed to ONNX Runtime beside the model's bytes, at `offset`. */
export interface ExternalWeight {
  readonly buffer: string
  readonly offset: number
  readonly bytes: number
}

/** A weight outside the model's bytes, its own bytes, to be stored inside them, or one without numbers, which the session replaces. */
export type GivenWeight = ExternalWeight | Uint8Array | 'elsewhere'

interface Encoded {
  readonly bytes: Uint8Array
  /** Inputs that the nodes or outputs read, in declaration order. */
  readonly inputs: readonly Value[]
  readonly nodes: number
}

/**
 * Order of nodes in the file. `written`: topological, as ONNX requires. `backwards`: reversed, for ONNX Runtime alone. It
 * schedules depth-first from the file's last output, so that gradients are computed early instead of all at the end.
 */
type NodeOrder = 'written' | 'backwards'

/**
 * @param outputs values returned by the model, under their names in the file
 * @param external inputs that become initialisers, and constants stored outside the file, by name
 */
export function encode(
  g: GraphCore,
  outputs: Readonly<Record<string, Value>>,
  external: ReadonlyMap<string, GivenWeight> = new Map(),
  order: NodeOrder = 'written',
): Encoded {
  const results = Object.values(outputs).map(({ name }) => name)
  const nodes = needed(g.nodes, results)
  const read = new Set([...nodes.flatMap((node) => node.inputs), ...results])
  const inputs = g.inputs.filter(({ name }) => read.has(name))
  const constants = g.constants.filter(({ name }) => read.has(name))
  const isInside = ({ name }: Value) => !external.has(name)
  const written = nodeProtos(nodes, outputs, read)
  const others = new Set(nodes.flatMap(({ domain }) => (domain === '' ? [] : [domain])))
  const model = onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: 'touchstone',
    opsetImport: [
      { domain: '', version: OPSET },
      ...[...others].map((domain) => ({ domain, version: 1 })),
    ],
    graph: {
      name: 'touchstone',
      node: order === 'written' ? written : written.reverse(),
      input: inputs.filter(isInside).map(valueInfo),
      output: Object.entries(outputs).map(([name, value]) => valueInfo({ ...value, name })),
      initializer: [
        ...constants.filter(isInside).map(constantProto),
        ...inputs
          .concat(constants)
          .flatMap((value) => externalProto(value, external.get(value.name))),
      ],
    },
  })
  const bytes = onnx.ModelProto.encode(model).finish()
  return { bytes, inputs: inputs.filter(isInside), nodes: nodes.length }
}

/** The nodes. A result takes its output's name where it can: an Identity would copy a cache that is extended in place. */
function nodeProtos(
  nodes: readonly OnnxNode[],
  outputs: Readonly<Record<string, Value>>,
  read: ReadonlySet<string>,
) {
  const produced = new Set(nodes.flatMap((node) => node.outputs))
  const alias = new Map<string, string>()
  const copies: [from: string, to: string][] = []
  for (const [name, value] of Object.entries(outputs)) {
    if (produced.has(value.name) && !alias.has(value.name)) alias.set(value.name, name)
    else copies.push([value.name, name])
  }
  const called = (name: string) => alias.get(name) ?? name
  return [
    ...nodes.map((node) => nodeProto(node, read, called)),
    ...copies.map(([from, to]) => ({ opType: 'Identity', input: [called(from)], output: [to] })),
  ]
}

/** The nodes that `outputs` depend on, in order. */
export function needed<N extends Pick<OnnxNode, 'inputs' | 'outputs'>>(
  nodes: readonly N[],
  outputs: readonly string[],
): N[] {
  const wanted = new Set(outputs)
  const kept = nodes.toReversed().filter((node) => {
    if (!node.outputs.some((name) => wanted.has(name))) return false
    node.inputs.forEach((name) => wanted.add(name))
    return true
  })
  return kept.reverse()
}

const nodeProto = (
  node: OnnxNode,
  read: ReadonlySet<string>,
  called: (name: string) => string,
) => ({
  opType: node.opType,
  domain: node.domain,
  name: node.outputs[0]!,
  input: node.inputs.map(called),
  // '' marks an optional output as unused; the first output is never optional.
  output: node.outputs
    .map((name, i) => (i === 0 || read.has(name) ? called(name) : ''))
    .slice(0, node.outputs.findLastIndex((name, i) => i === 0 || read.has(name)) + 1),
  attribute: Object.entries(node.attributes).map(([name, value]) => ({
    name,
    ...attributeProto(value),
  })),
})

function attributeProto(value: AttributeValue) {
  if (typeof value === 'string')
    return { type: AttributeType.STRING, s: new TextEncoder().encode(value) }
  if (typeof value === 'number') return { type: AttributeType.INT, i: value }
  if ('float' in value) return { type: AttributeType.FLOAT, f: value.float }
  if ('type' in value) return { type: AttributeType.INT, i: ONNX_DTYPE[value.type] }
  return { type: AttributeType.INTS, ints: [...value] }
}

const valueInfo = ({ name, dtype, shape }: Value) => ({
  name,
  type: {
    tensorType: {
      elemType: ONNX_DTYPE[dtype],
      shape: {
        dim: shape.map((dim) => (typeof dim === 'number' ? { dimValue: dim } : { dimParam: dim })),
      },
    },
  },
})

const constantProto = ({ name, dtype, shape, data }: GraphCore['constants'][number]) => ({
  name,
  dataType: ONNX_DTYPE[dtype],
  dims: [...shape] as number[],
  rawData: new Uint8Array(typedOf(dtype, data).buffer),
})

function typedOf(dtype: Dtype, data: readonly number[] | Float32Array) {
  if (dtype === 'int64') return BigInt64Array.from(Array.from(data), BigInt)
  if (dtype === 'float64') return Float64Array.from(data)
  if (dtype === 'int32') return Int32Array.from(data)
  return dtype === 'bool' || dtype === 'uint8' ? Uint8Array.from(data) : Float32Array.from(data)
}

function externalProto(
  { name, dtype, shape }: Value,
  external: GivenWeight | undefined,
): onnxProto.onnx.ITensorProto[] {
  if (!external) return []
  const own = { name, dataType: ONNX_DTYPE[dtype], dims: [...shape] as number[] }
  if (external === 'elsewhere')
    return [{ ...own, dims: [0, ...own.dims.slice(1)], rawData: new Uint8Array() }]
  if (external instanceof Uint8Array) return [{ ...own, rawData: external }]
  const { buffer, offset, bytes } = external
  const place = { location: buffer, offset: String(offset), length: String(bytes) }
  const externalData = Object.entries(place).map(([key, value]) => ({ key, value }))
  return [{ ...own, dataLocation: onnx.TensorProto.DataLocation.EXTERNAL, externalData }]
}
