/**
 * @file An ONNX model as plain data: nodes in order, places of initialisers, inputs and outputs. Nothing is run and no weight
 * is read. Refuses invalid graphs with a reason: duplicate names, cycles, incomplete tensors.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { dtypeOf } from '../encode.ts'
import type { Dtype } from '../value.ts'
import {
  decodeModel,
  type RawAttribute,
  type RawModel,
  type RawNode,
  type RawTensor,
  type RawValue,
} from './decode.ts'
import { malformed } from './malformed.ts'

/** Where a tensor's bytes are: in the model file, or in a file beside it (to its end if no length is given). */
type Place =
  | { readonly kind: 'inside'; readonly data: Uint8Array; readonly offset: number | null }
  | {
      readonly kind: 'outside'
      readonly location: string
      readonly offset: number
      readonly bytes: number | null
    }

export interface FileTensor {
  readonly name: string
  /** Undefined for types without a `Dtype`. */
  readonly dtype: Dtype | undefined
  readonly dims: readonly number[]
  readonly place: Place
}

/** The attribute's set field, or `other` for subgraphs and unknown kinds. */
type FileAttribute = number | string | readonly number[] | FileTensor | { readonly other: string }

export interface FileNode {
  readonly name: string
  readonly domain: string
  readonly opType: string
  readonly inputs: readonly string[]
  readonly outputs: readonly string[]
  readonly attributes: ReadonlyMap<string, FileAttribute>
}

export interface FileValue {
  readonly name: string
  readonly dtype: Dtype | undefined
  /** null for sizes that the file does not give. */
  readonly dims: readonly (number | string | null)[]
}

export interface GraphFile {
  readonly path: string
  readonly opset: number
  readonly nodes: readonly FileNode[]
  readonly initialisers: ReadonlyMap<string, FileTensor>
  /** Required feeds, without initialisers. */
  readonly inputs: readonly FileValue[]
  readonly outputs: readonly FileValue[]
}

const OPSETS = { first: 13, last: 23 } as const
const LARGEST_RANK = 8

/** @param path shown in errors */
export function readGraphFile(path: string, bytes: Uint8Array): GraphFile {
  const { graph, opsetImport } = decodeModel(path, bytes)
  if (!graph) throw malformed(path, 'no graph', 'an ONNX model')
  const opset = opsetOf(path, opsetImport)
  const initialisers = new Map<string, FileTensor>()
  for (const raw of graph.initializer) {
    const tensor = tensorOf(path, raw, bytes)
    if (initialisers.has(tensor.name)) throw malformed(path, `"${tensor.name}" twice`, 'each once')
    initialisers.set(tensor.name, tensor)
  }
  const inputs = graph.input
    .map((value) => valueOf(path, value))
    .filter(({ name }) => !initialisers.has(name))
  const outputs = graph.output.map((value) => valueOf(path, value))
  const nodes = graph.node.map((node) => nodeOf(path, node, bytes))
  requireOrder(path, nodes, [...initialisers.keys(), ...inputs.map(({ name }) => name)], outputs)
  return { path, opset, nodes, initialisers, inputs, outputs }
}

const isStandard = (domain: string) => domain === '' || domain === 'ai.onnx'

function opsetOf(path: string, imports: RawModel['opsetImport']): number {
  const version = Number(imports.find(({ domain }) => isStandard(domain))?.version ?? 0)
  if (version >= OPSETS.first && version <= OPSETS.last) return version
  throw new TouchstoneError('checkpoint.unsupported', {
    path,
    what: 'the operator set',
    found: String(version),
    supported: `${OPSETS.first} to ${OPSETS.last}`,
  })
}

function whole(path: string, text: string, what: string): number {
  if (Number.isSafeInteger(Number(text))) return Number(text)
  throw malformed(path, `${text} for ${what}`, 'a number that can be counted to')
}

export const SIZES: Readonly<Record<Dtype, number>> = {
  float32: 4,
  float64: 8,
  float16: 2,
  bfloat16: 2,
  int64: 8,
  int32: 4,
  bool: 1,
  int8: 1,
  uint8: 1,
}

function tensorOf(path: string, raw: RawTensor, bytes: Uint8Array): FileTensor {
  const { name } = raw
  const dims = raw.dims.map((dim) => whole(path, dim, `a size of "${name}"`))
  const elements = dims.reduce((product, dim) => product * dim, 1)
  if (dims.length > LARGEST_RANK || dims.some((dim) => dim < 0) || !Number.isSafeInteger(elements))
    throw malformed(path, `the shape [${dims.join(', ')}] for "${name}"`, 'a shape')
  const dtype = dtypeOf(raw.dataType)
  if (raw.dataLocation === 'EXTERNAL') return { name, dtype, dims, place: outside(path, raw) }
  const data = insideBytes(raw, dtype)
  const size = dtype && SIZES[dtype]
  if (size !== undefined && data.byteLength !== elements * size)
    throw malformed(path, `${data.byteLength} bytes for "${name}"`, `${elements * size} bytes`)
  const offset = data.buffer === bytes.buffer ? data.byteOffset - bytes.byteOffset : null
  return { name, dtype, dims, place: { kind: 'inside', data, offset } }
}

/** A plain relative path, which cannot leave the model's folder. */
const INSIDE = /^(?!.*(?:^|\/)\.{1,2}(?:\/|$))[^/\\:\0][^\\:\0]*$/u
const LONGEST_PATH = 255

function outside(path: string, { name, externalData }: RawTensor): Place {
  const said = new Map(externalData.map(({ key, value }) => [key, value]))
  const location = said.get('location') ?? ''
  if (!INSIDE.test(location) || location.length > LONGEST_PATH)
    throw malformed(path, `"${name}" at "${location.slice(0, 80)}"`, 'a file in the same folder')
  const number = (key: string) => {
    const text = said.get(key)
    if (text === undefined) return null
    if (/^\d{1,16}$/u.test(text) && Number.isSafeInteger(Number(text))) return Number(text)
    throw malformed(path, `the ${key} "${text.slice(0, 40)}" of "${name}"`, 'a whole number')
  }
  return { kind: 'outside', location, offset: number('offset') ?? 0, bytes: number('length') }
}

/** Raw bytes, or the numbers of a typed field as bytes. */
function insideBytes(raw: RawTensor, dtype: Dtype | undefined): Uint8Array {
  if (raw.rawData.byteLength > 0) return raw.rawData
  const view = (typed: Float32Array | Float64Array | BigInt64Array | Int32Array | Uint16Array) =>
    new Uint8Array(typed.buffer)
  switch (dtype) {
    case 'float32':
      return view(Float32Array.from(raw.floatData))
    case 'float64':
      return view(Float64Array.from(raw.doubleData))
    case 'int64':
      return view(BigInt64Array.from(raw.int64Data, BigInt))
    case 'int32':
      return view(Int32Array.from(raw.int32Data))
    case 'float16':
    case 'bfloat16':
      return view(Uint16Array.from(raw.int32Data))
    default:
      return Uint8Array.from(raw.int32Data)
  }
}

function valueOf(path: string, { name, type }: RawValue): FileValue {
  const { elemType = 0, shape } = type?.tensorType ?? {}
  const dims = (shape?.dim ?? []).map(({ dimValue, dimParam }) => {
    if (dimParam !== undefined && dimParam !== '') return dimParam
    return dimValue === undefined || dimValue === '0'
      ? null
      : whole(path, dimValue, `a size of "${name}"`)
  })
  return { name, dtype: dtypeOf(elemType), dims }
}

const nodeOf = (path: string, node: RawNode, bytes: Uint8Array): FileNode => ({
  name: node.name,
  domain: isStandard(node.domain) ? '' : node.domain,
  opType: node.opType,
  inputs: node.input,
  outputs: node.output,
  attributes: new Map(node.attribute.map((each) => [each.name, attributeOf(path, each, bytes)])),
})

function attributeOf(path: string, raw: RawAttribute, bytes: Uint8Array): FileAttribute {
  switch (raw.type) {
    case 'INT':
      return whole(path, raw.i, `the attribute "${raw.name}"`)
    case 'FLOAT':
      return raw.f
    case 'STRING':
      return new TextDecoder().decode(raw.s)
    case 'INTS':
      return raw.ints.map((each) => whole(path, each, `the attribute "${raw.name}"`))
    case 'FLOATS':
      return raw.floats
    case 'TENSOR':
      if (raw.t) return tensorOf(path, raw.t, bytes)
      throw malformed(path, `no tensor in the attribute "${raw.name}"`, 'a tensor')
    default:
      return { other: raw.type }
  }
}

/** Throws unless every name is produced once and before its use, so that there is no cycle. */
function requireOrder(
  path: string,
  nodes: readonly FileNode[],
  given: readonly string[],
  outputs: readonly FileValue[],
): void {
  const made = new Set(nodes.flatMap((node) => node.outputs))
  const known = new Set(given)
  const require = (name: string, reader: string) => {
    if (name === '' || known.has(name)) return
    const found = made.has(name)
      ? `"${name}", which ${reader} reads before it is made (a cycle, or nodes out of order)`
      : `"${name}", which ${reader} reads and nothing makes`
    throw malformed(path, found, 'nodes in the order in which they compute')
  }
  for (const { name, opType, inputs, outputs: results } of nodes) {
    for (const input of inputs) require(input, `${opType} "${name}"`)
    for (const result of results.filter((each) => each !== '')) {
      if (known.has(result)) throw malformed(path, `"${result}" made twice`, 'each value once')
      known.add(result)
    }
  }
  for (const { name } of outputs) require(name, 'the end of the graph')
}
