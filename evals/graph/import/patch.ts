/** @file Rewrites a model so that some initialisers come from memory, under their own names. */
import onnxProto from 'onnx-proto'
import type { GraphFile } from './graph-file.ts'

const { onnx } = onnxProto
const { EXTERNAL, DEFAULT } = onnx.TensorProto.DataLocation

/**
 * @param bytes the file that `graph` was read from
 * @param replaced byte lengths of the float32 initialisers given in memory, by name
 */
export function withWeights(
  bytes: Uint8Array,
  { initialisers }: GraphFile,
  replaced: ReadonlyMap<string, number>,
): Uint8Array {
  const model = onnx.ModelProto.decode(bytes)
  for (const tensor of model.graph!.initializer!) {
    const length = replaced.get(tensor.name!)
    const place = initialisers.get(tensor.name!)!.place
    if (length !== undefined) {
      Object.assign(tensor, { rawData: new Uint8Array(), floatData: [], dataLocation: EXTERNAL })
      const fields = { location: tensor.name!, offset: '0', length: String(length) }
      tensor.externalData = Object.entries(fields).map(([key, value]) => ({ key, value }))
    } else if (place.kind === 'inside' && place.offset === null && tensor.externalData?.length) {
      Object.assign(tensor, { rawData: place.data, externalData: [], dataLocation: DEFAULT })
    }
  }
  return onnx.ModelProto.encode(model).finish()
}
