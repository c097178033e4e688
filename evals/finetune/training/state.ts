/** @file A training state on disk: parameters, moments and step in one safetensors file, written atomically. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { OptimizerState } from '../../graph/optimizer.ts'
import { readSafetensorsIndex } from '../../models/formats/safetensors.ts'
import { writeSafetensors } from '../../models/formats/safetensors-write.ts'
import { openFiles, readStored } from '../../models/weights/stored-weights.ts'

const TENSORS = ['parameters', 'firstMoment', 'secondMoment'] as const
const MEMORY = 'methodMemory'

/** Owner of values on a device. */
export interface DeviceResident {
  /** Copies the current values from the device into the host's vectors. */
  syncToHost(): Promise<void>
}

/** The optimiser's state and the method's memory. */
export interface TrainingState extends OptimizerState {
  readonly memory: Float32Array
  /** Set while the current values are on a device: call `syncToHost` before reading the vectors on the host. */
  deviceResident?: DeviceResident
}

/**
 * Saves a state after `state.step` finished steps. Data position and random streams are functions of (seed, step), so they are
 * not stored; `identity` holds the fields that must be equal on a resume.
 */
export const saveTrainingState = async (
  path: string,
  state: OptimizerState & Partial<Pick<TrainingState, 'memory' | 'deviceResident'>>,
  identity: Readonly<Record<string, string>>,
): Promise<void> => {
  await state.deviceResident?.syncToHost()
  const tensors: readonly (readonly [string, Float32Array])[] = [
    ...TENSORS.map((name) => [name, state[name]] as const),
    ...(state.memory?.length ? [[MEMORY, state.memory] as const] : []),
  ]
  return writeSafetensors(
    path,
    tensors.map(([name, data]) => ({ name, shape: [data.length], data })),
    { ...identity, step: String(state.step) },
  )
}

/** Saves parameters without moments: enough to evaluate the state, not to continue training. */
export const saveParameters = async (
  path: string,
  parameters: Float32Array,
  identity: Readonly<Record<string, string>>,
): Promise<void> => {
  const tensor = { name: TENSORS[0], shape: [parameters.length], data: parameters }
  await writeSafetensors(path, [tensor], identity)
}

/** Reads saved parameters bit for bit. Throws if they belong to another run or step, or have another size. */
export const loadParameters = (
  path: string,
  identity: Readonly<Record<string, string>>,
  size: number,
): Promise<Float32Array> =>
  opened(path, identity, (read) => {
    const parameters = read(TENSORS[0])
    if (parameters.length === size) return parameters
    throw new TouchstoneError('checkpoint.malformed', {
      path,
      found: `${parameters.length} numbers`,
      expected: String(size),
    })
  })

/** Reads a saved state bit for bit. Throws `training.resume-mismatch` with the field if it belongs to another run. */
export const loadTrainingState = (
  path: string,
  identity: Readonly<Record<string, string>>,
  memorySize = 0,
): Promise<TrainingState> =>
  opened(path, identity, (read, metadata) => {
    const [parameters, firstMoment, secondMoment] = [
      read(TENSORS[0]),
      read(TENSORS[1]),
      read(TENSORS[2]),
    ]
    const memory = memorySize === 0 ? new Float32Array(0) : read(MEMORY)
    const step = metadata.get('step') ?? 'nothing'
    const sizes = [parameters, firstMoment, secondMoment].map(({ length }) => length)
    if (!/^\d+$/.test(step) || new Set(sizes).size !== 1 || memory.length !== memorySize) {
      throw new TouchstoneError('checkpoint.malformed', {
        path,
        found: `step ${step} and ${[...sizes, memory.length].join(', ')} numbers`,
        expected: `a whole step, as many moments as parameters, and ${memorySize} numbers of the method's`,
      })
    }
    return { parameters, firstMoment, secondMoment, memory, step: Number(step) }
  })

type Read = (name: string) => Float32Array

/** Checks `identity` before reading any tensor. */
async function opened<T>(
  path: string,
  identity: Readonly<Record<string, string>>,
  use: (read: Read, metadata: ReadonlyMap<string, string>) => T,
): Promise<T> {
  const { weights, metadata } = await readSafetensorsIndex(path)
  for (const [field, asked] of Object.entries(identity)) {
    const saved = metadata.get(field) ?? 'nothing'
    if (saved !== asked)
      throw new TouchstoneError('training.resume-mismatch', { field, saved, asked })
  }
  const files = await openFiles([path])
  try {
    return use((name) => {
      const weight = weights.find((candidate) => candidate.name === name)
      if (!weight) throw new TouchstoneError('checkpoint.weight-missing', { path, name, near: [] })
      return readStored(files, weight)
    }, metadata)
  } finally {
    await files.close()
  }
}
