/**
 * @file The addon's session, used as one of onnxruntime-node is: the same library and settings, so the same bits,
 * but outputs are written where they shall lie instead of being copied, and the event loop turns while it runs.
 */
import { existsSync, globSync } from 'node:fs'
import { createRequire } from 'node:module'
import { dirname, join } from 'node:path'
import ort from 'onnxruntime-node'
import type { Addon, BoundTensor, FreshTensor, SessionSettings } from '../native/addon.ts'

/** What a runner needs of a session, whoever opened it. */
export interface OpenSession {
  /** Outputs that `fetches` gives a tensor for are written into its memory; those that are null are new. */
  run(
    feeds: Readonly<Record<string, ort.Tensor>>,
    fetches: Readonly<Record<string, ort.Tensor | null>>,
  ): Promise<Readonly<Record<string, ort.OnnxValue>>>
  release(): Promise<void>
  endProfiling(): void
}

/** ONNX's numbers, and how a new result is seen. */
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

export async function openResident(
  native: Addon,
  model: Uint8Array,
  settings: SessionSettings,
): Promise<OpenSession> {
  const session = await native.openSession(libraryPath(), model, settings)
  return {
    async run(feeds, fetches) {
      const wanted = Object.entries(fetches)
      const given = wanted.flatMap(([name, tensor]) => (tensor ? [[name, tensor] as const] : []))
      const fresh = wanted.flatMap(([name, tensor]) => (tensor ? [] : [name]))
      const inputs = Object.entries(feeds).map(bound)
      const results = await native.runSession(session, inputs, given.map(bound), fresh)
      return Object.fromEntries([...given, ...results.map(opened)])
    },
    release: async () => native.releaseSession(session),
    endProfiling: () => undefined,
  }
}

function bound([name, { type, dims, data }]: readonly [string, ort.Tensor]): BoundTensor {
  const { buffer, byteOffset, byteLength } = data as Float32Array<ArrayBuffer>
  const bytes = new Uint8Array(buffer, byteOffset, byteLength)
  return { name, type: TYPES[type as Type][0], dims, data: bytes }
}

function opened({ name, type, dims, data }: FreshTensor): readonly [string, ort.Tensor] {
  const [dtype, [, View]] = Object.entries(TYPES).find(([, [number]]) => number === type)!
  return [name, new ort.Tensor(dtype as 'float32', new View(data) as Float32Array, dims)]
}

let known: string | undefined

/** The library that onnxruntime-node itself loads: one file, and so one copy of it in the process. */
function libraryPath(): string {
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
