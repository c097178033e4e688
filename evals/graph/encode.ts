/** @file Graph → ONNX bytes, through a protobuf library. Nodes that no output needs are left out. */
import onnxProto from 'onnx-proto'
import type { GraphCore, OnnxNode } from './builder.ts'
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
/** The dtype that ONNX numbers so; undefined where we have no word for it. */
export const dtypeOf = (number: number): Dtype | undefined =>
  (Object.keys(ONNX_DTYPE) as Dtype[]).find((dtype) => ONNX_DTYPE[dtype] === number)

const OPSET = 21
const IR_VERSION = 10

/** A weight that lives in a buffer handed to ONNX Runtime beside the model's bytes, at `offset`. */
export interface ExternalWeight {
  readonly buffer: string
  readonly offset: number
  readonly bytes: number
}

/** Where it lies, or its bytes, which then lie in the model's. */
export type GivenWeight = ExternalWeight | Uint8Array

interface Encoded {
  readonly bytes: Uint8Array
  /** Inputs that some needed node reads, in declaration order. */
  readonly inputs: readonly Value[]
  readonly nodes: number
}

/**
 * In which order nodes stand in the file. `written`: as the graph has them, each after what it reads, as ONNX wants it.
 * `backwards`: for ONNX Runtime alone, which goes from result to result, the last in the file first, and runs what it finds
 * behind each. So results come in the order in which they were written, each as early as can be; else every gradient of a
 * weight is taken at the very end, and what they are made of is held until then.
 */
type NodeOrder = 'written' | 'backwards'

/**
 * @param outputs what the model returns, by the name it shall have
 * @param external inputs that become initialisers, and constants that lie outside, by name
 */
export function encode(
  g: GraphCore,
  outputs: Readonly<Record<string, Value>>,
  external: ReadonlyMap<string, GivenWeight> = new Map(),
  order: NodeOrder = 'written',
): Encoded {
  const nodes = needed(
    g.nodes,
    Object.values(outputs).map(({ name }) => name),
  )
  const read = new Set(nodes.flatMap(({ inputs }) => inputs))
  for (const { name } of Object.values(outputs)) read.add(name)
  const inputs = g.inputs.filter(({ name }) => read.has(name))
  const produced = new Set(nodes.flatMap((node) => node.outputs))
  // A result keeps its own name where it can, so that it needs no copying node: a cache is then its own past.
  const alias = new Map<string, string>()
  const copies: [from: string, to: string][] = []
  for (const [name, value] of Object.entries(outputs)) {
    if (produced.has(value.name) && !alias.has(value.name)) alias.set(value.name, name)
    else copies.push([value.name, name])
  }
  const called = (name: string) => alias.get(name) ?? name
  const written = [
    ...nodes.map((node) => nodeProto(node, read, called)),
    ...copies.map(([from, to]) => ({ opType: 'Identity', input: [called(from)], output: [to] })),
  ]
  const model = onnx.ModelProto.create({
    irVersion: IR_VERSION,
    producerName: 'touchstone',
    opsetImport: [
      { domain: '', version: OPSET },
      ...(nodes.some(({ domain }) => domain !== '')
        ? [{ domain: 'com.microsoft', version: 1 }]
        : []),
    ],
    graph: {
      name: 'touchstone',
      node: order === 'written' ? written : written.reverse(),
      input: inputs.filter(({ name }) => !external.has(name)).map(valueInfo),
      output: Object.entries(outputs).map(([name, value]) => valueInfo({ ...value, name })),
      initializer: [
        ...g.constants
          .filter(({ name }) => read.has(name) && !external.has(name))
          .map(constantProto),
        ...[...inputs, ...g.constants.filter(({ name }) => read.has(name))].flatMap((value) =>
          externalProto(value, external.get(value.name)),
        ),
      ],
    },
  })
  return {
    bytes: onnx.ModelProto.encode(model).finish(),
    inputs: inputs.filter(({ name }) => !external.has(name)),
    nodes: nodes.length,
  }
}

/** The nodes that `outputs` depend on, in their order. */
function needed(nodes: readonly OnnxNode[], outputs: readonly string[]): OnnxNode[] {
  const wanted = new Set(outputs)
  const kept: OnnxNode[] = []
  for (const node of [...nodes].reverse()) {
    if (!node.outputs.some((name) => wanted.has(name))) continue
    kept.push(node)
    node.inputs.forEach((name) => wanted.add(name))
  }
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
  // '' tells ONNX Runtime that an optional output is not wanted; the first output is never optional.
  output: trimEmpty(node.outputs.map((name, i) => (i === 0 || read.has(name) ? called(name) : ''))),
  attribute: Object.entries(node.attributes).map(([name, value]) => ({
    name,
    ...attributeProto(value),
  })),
})

function trimEmpty(names: string[]): string[] {
  while (names.at(-1) === '') names.pop()
  return names
}

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

function constantProto({ name, dtype, shape, data }: GraphCore['constants'][number]) {
  return {
    name,
    dataType: ONNX_DTYPE[dtype],
    dims: [...shape] as number[],
    rawData: rawBytes(dtype, data),
  }
}

function rawBytes(dtype: Dtype, data: readonly number[] | Float32Array): Uint8Array {
  const typed =
    dtype === 'int64'
      ? BigInt64Array.from(Array.from(data), BigInt)
      : dtype === 'float64'
        ? Float64Array.from(data)
        : dtype === 'int32'
          ? Int32Array.from(data)
          : dtype === 'bool' || dtype === 'uint8'
            ? Uint8Array.from(data)
            : Float32Array.from(data)
  return new Uint8Array(typed.buffer)
}

function externalProto(
  { name, dtype, shape }: Value,
  external: GivenWeight | undefined,
): onnxProto.onnx.ITensorProto[] {
  if (!external) return []
  const own = { name, dataType: ONNX_DTYPE[dtype], dims: [...shape] as number[] }
  if (external instanceof Uint8Array) return [{ ...own, rawData: external }]
  const { buffer, offset, bytes } = external
  return [
    {
      ...own,
      dataLocation: onnx.TensorProto.DataLocation.EXTERNAL,
      externalData: [
        { key: 'location', value: buffer },
        { key: 'offset', value: String(offset) },
        { key: 'length', value: String(bytes) },
      ],
    },
  ]
}
