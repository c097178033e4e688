/**
 * @file What a model file may cost before it is decoded: everything in it but raw weights becomes objects, so it is counted
 * first, by stepping over the fields of the protobuf.
 */
import { malformed } from './malformed.ts'

/** Far more than the graph of any published decoder. */
const STRUCTURE_LIMIT = 32 * 2 ** 20

/** Numbers of fields in onnx.proto: ModelProto.graph, GraphProto.initializer, TensorProto.raw_data. */
const GRAPH = 7
const INITIALISER = 5
const RAW_DATA = 9

/** Throws where more than the limit would become objects. */
export function requireSmallStructure(path: string, bytes: Uint8Array): void {
  let raw = 0
  for (const graph of fieldsOf(path, bytes, GRAPH)) {
    for (const tensor of fieldsOf(path, graph, INITIALISER)) {
      for (const data of fieldsOf(path, tensor, RAW_DATA)) raw += data.byteLength
    }
  }
  const structure = bytes.byteLength - raw
  if (structure > STRUCTURE_LIMIT)
    throw malformed(path, `${structure} bytes beside raw weights`, `at most ${STRUCTURE_LIMIT}`)
}

const LENGTHS: Readonly<Record<number, number>> = { 1: 8, 5: 4 }
const DELIMITED = 2

/** The length-delimited fields of one number, as views. */
function* fieldsOf(path: string, bytes: Uint8Array, wanted: number): Generator<Uint8Array> {
  let at = 0
  const varint = (): number => {
    let [value, factor] = [0, 1]
    for (let count = 0; count < 10; count++) {
      const byte = bytes[at++]
      if (byte === undefined) break
      value += (byte & 0x7f) * factor
      factor *= 128
      if (byte < 0x80) return value
    }
    throw malformed(path, 'a number without an end', 'an ONNX model')
  }
  while (at < bytes.byteLength) {
    const tag = varint()
    const [field, kind] = [Math.floor(tag / 8), tag % 8]
    const length = kind === 0 ? (varint(), 0) : kind === DELIMITED ? varint() : LENGTHS[kind]
    if (length === undefined) throw malformed(path, `a field of kind ${kind}`, 'an ONNX model')
    if (length > bytes.byteLength - at)
      throw malformed(path, `a field of ${length} bytes`, 'the whole file: it was cut short')
    if (kind === DELIMITED && field === wanted) yield bytes.subarray(at, at + length)
    at += length
  }
}
