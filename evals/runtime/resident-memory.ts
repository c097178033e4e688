/**
 * @file Float32 tensors in a device's memory. Copies in both directions run through graphs that return their inputs, with one
 * end bound to the host and the other to the device; this works on every execution provider.
 */
import ort from './onnxruntime.ts'
import type { Addon, SessionSettings } from '../native/addon.ts'
import type { Device } from './device.ts'
import { DeviceTensor } from './device-tensor.ts'
import { identityGraph, prefixed } from './identity-graph.ts'
import { translateOrtError } from './ort-errors.ts'
import { openResident, type PlacedTensor, type ResidentSession } from './resident-session.ts'
import type { Feeds, Memories } from './tensor.ts'

export type DeviceTensors = Readonly<Record<string, DeviceTensor>>

export interface DeviceMemory {
  /** Copies `host` into new device tensors, which live until freed. */
  place(host: Feeds): Promise<DeviceTensors>
  /** Overwrites the tensors of the same names. */
  write(there: DeviceTensors, host: Feeds): Promise<void>
  /** Reads into the host tensors of the same names. */
  read(there: DeviceTensors, into: Feeds): Promise<void>
}

/** The tensors keep `session` alive until they are freed. */
export function residentMemory(
  native: Addon,
  session: ResidentSession,
  settings: SessionSettings,
  device: Device['name'],
): DeviceMemory {
  const copy = copier(native, settings)
  const translated = <T>(work: Promise<T>): Promise<T> =>
    work.catch((error: unknown) => {
      throw translateOrtError(error, { device, batchSize: 1 })
    })
  return {
    place: (host) => translated(place(session, copy, host)),
    write: (there, host) => translated(copy(host, there)),
    read: (there, into) => translated(copy(there, into)),
  }
}

type Copy = (from: Memories, to: Memories) => Promise<void>

/** Copies tensors of the same names through sessions that return their inputs. */
function copier(native: Addon, { threads, provider }: SessionSettings): Copy {
  const plain = { threads, provider, optimised: false, arena: true, folder: '', weights: [] }
  return async (from, to) => {
    for (const names of inPieces(to)) {
      const end = (memories: Memories) =>
        Object.fromEntries(names.map((name) => [name, placed(memories[name]!)]))
      const types = names.map((name) => [name, { type: 'float32', dims: to[name]!.dims }] as const)
      const model = identityGraph(Object.fromEntries(types))
      const session = await openResident(native, model, plain)
      try {
        await session.run(prefixed(end(from)), end(to))
      } finally {
        await session.release()
      }
    }
  }
}

async function place(session: ResidentSession, copy: Copy, host: Feeds): Promise<DeviceTensors> {
  const there: Record<string, DeviceTensor> = {}
  try {
    for (const [name, { dims }] of Object.entries(host)) there[name] = await session.allocate(dims)
    await copy(host, there)
    return there
  } catch (error) {
    free(there)
    throw error
  }
}

export const free = (tensors: DeviceTensors): void =>
  Object.values(tensors).forEach((tensor) => tensor.free())

/** Bytes per copying graph; the device holds them twice meanwhile. */
const MOST_BYTES = 2 ** 26

/** Groups the names to about that size; a larger tensor gets its own group. */
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

const placed = (tensor: Memories[string]): PlacedTensor =>
  tensor instanceof DeviceTensor
    ? tensor
    : new ort.Tensor('float32', tensor.data as Float32Array, tensor.dims)
