/** @file Writes a decoder as an ONNX folder: graph, external weights, configuration, tokenizer, template. */
import { join } from 'node:path'
import { encode, type ExternalWeight } from '../../../graph/encode.ts'
import type { JsonObject } from '../../../files/read-file.ts'
import { decoderGraph, type DecoderGraph } from './decoder.ts'
import type { Model } from '../../registry.ts'
import { makeFolder } from '../../../files/private-file.ts'
import { writeAtomically } from '../../../files/write-file.ts'
import { elementsOf } from '../../weights/stored-weights.ts'
import { writeTextFiles, type TokenizerFiles } from '../write-hf-folder.ts'

export const GRAPH_FILE = 'model.onnx'
const DATA_FILE = 'model.onnx.data'

interface OnnxModelToWrite {
  readonly model: Model
  readonly read: (name: string) => Float32Array
  readonly config: JsonObject
  readonly tokenizerFiles: TokenizerFiles
  /** Further JSON files by name. */
  readonly others?: ReadonlyMap<string, JsonObject>
}

/** In float32. Weights are written one after another, so that only one is copied at a time. */
export async function writeOnnxModel(folder: string, source: OnnxModelToWrite): Promise<void> {
  makeFolder(folder)
  const { g, outputs } = decoderGraph(source.model)
  const tensors = tensorsOf(g, source)
  const places = layOut(tensors)
  const { bytes } = encode(g, outputs, places)
  await writeAtomically(join(folder, DATA_FILE), parts(tensors, places))
  await writeAtomically(join(folder, GRAPH_FILE), [bytes])
  await writeTextFiles(folder, { ...source, storage: 'F32' })
}

interface Tensor {
  readonly name: string
  readonly elements: number
  readonly data: () => Float32Array
}

/** Smaller constants stay in the graph. */
const LARGE = 1024

function tensorsOf(g: DecoderGraph['g'], { model, read }: OnnxModelToWrite): Tensor[] {
  const weights = g.inputs.flatMap(({ name }): Tensor[] => {
    const spec = model.weights.get(name)
    return spec ? [{ name, elements: elementsOf(spec.shape), data: () => read(name) }] : []
  })
  const tables = g.constants.flatMap(({ name, data }): Tensor[] =>
    data instanceof Float32Array && data.length > LARGE
      ? [{ name, elements: data.length, data: () => data }]
      : [],
  )
  return [...weights, ...tables]
}

/** Alignment of each tensor, for mapping and vector loads. */
const ALIGNMENT = 64

function layOut(tensors: readonly Tensor[]): ReadonlyMap<string, ExternalWeight> {
  const places = new Map<string, ExternalWeight>()
  let end = 0
  for (const { name, elements } of tensors) {
    const offset = Math.ceil(end / ALIGNMENT) * ALIGNMENT
    const bytes = elements * Float32Array.BYTES_PER_ELEMENT
    places.set(name, { buffer: DATA_FILE, offset, bytes })
    end = offset + bytes
  }
  return places
}

function parts(tensors: readonly Tensor[], places: ReadonlyMap<string, ExternalWeight>) {
  let end = 0
  return tensors.flatMap(({ name, data }) => {
    const { offset, bytes } = places.get(name)!
    const padding = new Uint8Array(offset - end)
    end = offset + bytes
    return [padding, () => bytesOf(name, data(), bytes)]
  })
}

function bytesOf(name: string, data: Float32Array, expected: number): Uint8Array {
  if (data.byteLength !== expected)
    throw new Error(`internal: "${name}" has ${data.byteLength} bytes, ${expected} were laid out`)
  return new Uint8Array(data.buffer, data.byteOffset, data.byteLength)
}
