/**
 * @file Limits a model file's cost before decoding. Everything but raw weights becomes objects, so their bytes are counted
 * first, by scanning the protobuf's fields.
 */
import { malformed } from './malformed.ts'

/** Far more than any published decoder's graph. */
const STRUCTURE_LIMIT = 32 * 2 ** 20

/** Field numbers in onnx.proto: ModelProto.graph, GraphProto.initializer, TensorProto.raw_data. */
const GRAPH = 7
const INITIALISER = 5
const RAW_DATA = 9

/** Throws if more than the limit would become objects. */
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

/** Views of the length-delimited fields with one number. */
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
