/**
 * @file Float32 tensors in the memory of a session's device, and the way there and back: graphs that hand their inputs on, one
 * end bound to the host and the other to the device. It is the same way on every device of ONNX Runtime's.
 */
import ort from './onnxruntime.ts'
import { encode } from '../graph/encode.ts'
import { createGraph } from '../graph/ops/index.ts'
import type { Addon, SessionSettings } from '../native/addon.ts'
import type { Device } from './device.ts'
import { DeviceTensor } from './device-tensor.ts'
import { translateOrtError } from './ort-errors.ts'
import { openResident, type Lying, type ResidentSession } from './resident-session.ts'
import type { Feeds, Memories } from './tensor.ts'

export type DeviceTensors = Readonly<Record<string, DeviceTensor>>

export interface DeviceMemory {
  /** New tensors that hold what `host` holds, each until it is freed. */
  place(host: Feeds): Promise<DeviceTensors>
  /** Overwrites those of the same names. */
  write(there: DeviceTensors, host: Feeds): Promise<void>
  /** Into the host's memory of the same names. */
  read(there: DeviceTensors, into: Feeds): Promise<void>
}

/** The tensors outlive `session`: each keeps it. */
export function residentMemory(
  native: Addon,
  session: ResidentSession,
  { threads, provider }: SessionSettings,
  device: Device['name'],
): DeviceMemory {
  const plain = { threads, provider, optimised: false, arena: true, folder: '', weights: [] }

  async function copy(from: Memories, to: Memories): Promise<void> {
    for (const names of inPieces(to)) {
      const handing = await openResident(native, handOn(names, to), plain)
      const end = (memories: Memories, prefix: string) =>
        Object.fromEntries(names.map((name) => [`${prefix}${name}`, lying(memories[name]!)]))
      try {
        await handing.run(end(from, FROM), end(to, ''))
      } finally {
        await handing.release()
      }
    }
  }

  async function place(host: Feeds): Promise<DeviceTensors> {
    const there: Record<string, DeviceTensor> = {}
    try {
      for (const [name, { dims }] of Object.entries(host))
        there[name] = await session.allocate(dims)
      await copy(host, there)
      return there
    } catch (error) {
      free(there)
      throw error
    }
  }

  const told = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw translateOrtError(error, { device, batchSize: 1 })
    })
  return {
    place: (host) => told(place(host)),
    write: (there, host) => told(copy(host, there)),
    read: (there, into) => told(copy(there, into)),
  }
}

export const free = (tensors: DeviceTensors): void =>
  Object.values(tensors).forEach((tensor) => tensor.free())

/** What goes through one graph: the device holds it twice meanwhile. */
const MOST_BYTES = 2 ** 26

/** The names, in runs of about that size; a tensor that is larger goes by itself. */
function inPieces(tensors: Memories): string[][] {
  const pieces: string[][] = []
  let bytes = Infinity
  for (const [name, { dims }] of Object.entries(tensors)) {
    const own = 4 * dims.reduce((product, size) => product * size, 1)
    if (bytes + own > MOST_BYTES) {
      pieces.push([])
      bytes = 0
    }
    pieces.at(-1)!.push(name)
    bytes += own
  }
  return pieces
}

/** An input may not have the name of an output. */
const FROM = 'from:'

function handOn(names: readonly string[], tensors: Memories): Uint8Array {
  const g = createGraph()
  const values = names.map((name) => {
    return [name, g.input(`${FROM}${name}`, 'float32', tensors[name]!.dims)] as const
  })
  return encode(g, Object.fromEntries(values)).bytes
}

const lying = (tensor: Memories[string]): Lying =>
  tensor instanceof DeviceTensor
    ? tensor
    : new ort.Tensor('float32', tensor.data as Float32Array, tensor.dims)
