/**
 * @file Decodes the required fields of onnx.proto into plain types: every field is present, 64-bit numbers and enums are
 * strings.
 */
import onnxProto from 'onnx-proto'
import { requireSmallStructure } from './limits.ts'
import { malformed } from './malformed.ts'

export interface RawTensor {
  readonly name: string
  readonly dims: readonly string[]
  readonly dataType: number
  readonly rawData: Uint8Array
  readonly floatData: readonly number[]
  readonly doubleData: readonly number[]
  readonly int32Data: readonly number[]
  readonly int64Data: readonly string[]
  readonly dataLocation: string
  readonly externalData: readonly { readonly key: string; readonly value: string }[]
}

export interface RawAttribute {
  readonly name: string
  readonly type: string
  readonly i: string
  readonly f: number
  readonly s: Uint8Array
  readonly t: RawTensor | null
  readonly ints: readonly string[]
  readonly floats: readonly number[]
}

export interface RawNode {
  readonly name: string
  readonly domain: string
  readonly opType: string
  readonly input: readonly string[]
  readonly output: readonly string[]
  readonly attribute: readonly RawAttribute[]
}

export interface RawValue {
  readonly name: string
  readonly type: {
    readonly tensorType?: {
      readonly elemType: number
      readonly shape: {
        readonly dim: readonly { readonly dimValue?: string; readonly dimParam?: string }[]
      } | null
    } | null
  } | null
}

export interface RawModel {
  readonly opsetImport: readonly { readonly domain: string; readonly version: string }[]
  readonly graph: {
    readonly node: readonly RawNode[]
    readonly initializer: readonly RawTensor[]
    readonly input: readonly RawValue[]
    readonly output: readonly RawValue[]
  } | null
}

/** Raw weights are views of `bytes`. */
export function decodeModel(path: string, bytes: Uint8Array): RawModel {
  requireSmallStructure(path, bytes)
  const { ModelProto } = onnxProto.onnx
  try {
    const fields = { longs: String, enums: String, arrays: true, defaults: true }
    return ModelProto.toObject(ModelProto.decode(bytes), fields) as RawModel
  } catch {
    throw malformed(path, 'bytes that are no protobuf of a model', 'an ONNX model')
  }
}
