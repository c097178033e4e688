/**
 * @file The addon's sessions. They use onnxruntime-node's library with the same settings, so results have the same bits, but
 * outputs are written in place instead of copied, and a run does not block the event loop.
 */
import { existsSync, globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import ort from './onnxruntime.ts'
import type { Addon, BoundTensor, FreshTensor, SessionSettings } from '../native/addon.ts'
import { DeviceTensor } from './device-tensor.ts'

/** A tensor in the host's memory or in that of the session's device. */
export type PlacedTensor = ort.Tensor | DeviceTensor

/** The interface that a runner needs of either kind of session. */
export interface OpenSession {
  /**
   * Writes an output to its tensor in `fetches`, or to a new one if that is null. Outputs in device memory are not among the
   * results. onnxruntime-node's sessions take no `DeviceTensor`.
   */
  run(
    feeds: Readonly<Record<string, PlacedTensor>>,
    fetches: Readonly<Record<string, PlacedTensor | null>>,
  ): Promise<Readonly<Record<string, ort.OnnxValue>>>
  release(): Promise<void>
  endProfiling(): void
}

/** ONNX's type numbers, and the view of a new result. */
const TYPES = {
  float32: [1, Float32Array],
  uint8: [2, Uint8Array],
  int8: [3, Int8Array],
  int32: [6, Int32Array],
  int64: [7, BigInt64Array],
  bool: [9, Uint8Array],
  float16: [10, Float16Array],
  float64: [11, Float64Array],
} as const
type Type = keyof typeof TYPES

export interface ResidentSession extends OpenSession {
  /** An uninitialised float32 tensor in the memory of the session's device. */
  allocate(dims: readonly number[]): Promise<DeviceTensor>
}

export async function openResident(
  native: Addon,
  model: Uint8Array,
  settings: SessionSettings,
): Promise<ResidentSession> {
  const session = await native.openSession(libraryPath(), model, settings)
  return {
    async run(feeds, fetches) {
      const wanted = Object.entries(fetches)
      const given = wanted.flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []))
      const fresh = wanted.flatMap(([name, tensor]) => (tensor ? [] : [name]))
      const inputs = Object.entries(feeds).map(bound)
      const results = await native.runSession(session, inputs, given.map(bound), fresh)
      const here = given.filter((entry): entry is [string, ort.Tensor] => !isOnDevice(entry[1]))
      return Object.fromEntries([...here, ...results.map(opened)])
    },
    async allocate(dims) {
      const [type] = TYPES.float32
      return new DeviceTensor(native, await native.allocateValue(session, type, dims), type, dims)
    },
    release: async () => native.releaseSession(session),
    endProfiling: () => undefined,
  }
}

const isOnDevice = (tensor: PlacedTensor): tensor is DeviceTensor => tensor instanceof DeviceTensor

function bound([name, tensor]: readonly [string, PlacedTensor]): BoundTensor {
  if (isOnDevice(tensor)) return { name, type: tensor.type, dims: tensor.dims, data: tensor.value }
  const { type, dims, data } = tensor
  const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  return { name, type: TYPES[type as Type][0], dims, data: bytes }
}

function opened({ name, type, dims, data }: FreshTensor): readonly [string, ort.Tensor] {
  const [dtype, [, View]] = Object.entries(TYPES).find(([, [number]]) => number === type)!
  return [name, new ort.Tensor(dtype as 'float32', new View(data) as Float32Array, dims)]
}

let known: string | undefined

/** The library that onnxruntime-node loads, so that the process has one copy. */
export function libraryPath(): string {
  return (known ??= foundLibrary())
}

function foundLibrary(): string {
  const entry = createRequire(import.meta.url).resolve('onnxruntime-node')
  const folder = join(dirname(entry), '..', 'bin')
  const name = process.platform === 'darwin' ? 'libonnxruntime*.dylib' : 'libonnxruntime.so*'
  const [found] = globSync(`napi-v*/${process.platform}/${process.arch}/${name}`, { cwd: folder })
  const path = found && join(folder, found)
  if (path && existsSync(path)) return path
  throw new Error(`internal: onnxruntime-node has no library under ${folder}`)
}
