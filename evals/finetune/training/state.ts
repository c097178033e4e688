/** @file A training run on disk: parameters, moments and step in one safetensors file, written whole or not at all. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { OptimizerState } from '../../graph/optimizer.ts'
import { readSafetensorsIndex } from '../../models/formats/safetensors.ts'
import { writeSafetensors } from '../../models/formats/safetensors-write.ts'
import { openFiles, readStoredWeight } from '../../models/weights/stored-weights.ts'
import { broughtBack } from './brought-back.ts'

const TENSORS = ['parameters', 'firstMoment', 'secondMoment'] as const
const MEMORY = 'methodMemory'

/** Everything that a run remembers: what the optimiser keeps, and what the method does. */
export interface TrainingState extends OptimizerState {
  readonly memory: Float32Array
}

/**
 * Saves after `state.step` finished steps. Data position and every random stream follow from (seed, step), so they need no
 * bytes of their own; `identity` holds what must agree for a resume to mean anything.
 */
export const saveTrainingState = async (
  path: string,
  state: OptimizerState & Partial<Pick<TrainingState, 'memory'>>,
  identity: Readonly<Record<string, string>>,
): Promise<void> => {
  await broughtBack(state.parameters)
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

/** The trained numbers alone: enough to ask the state by, too little to train it on. */
export const saveParameters = async (
  path: string,
  parameters: Float32Array,
  identity: Readonly<Record<string, string>>,
): Promise<void> => {
  await broughtBack(parameters)
  const tensor = { name: TENSORS[0], shape: [parameters.length], data: parameters }
  await writeSafetensors(path, [tensor], identity)
}

/** Reads them back, bit for bit; those of another run, step or size are an error. */
export const loadParameters = (
  path: string,
  identity: Readonly<Record<string, string>>,
  size: number,
): Promise<Float32Array> =>
  opened(path, identity, async (read) => {
    const parameters = await read(TENSORS[0])
    if (parameters.length === size) return parameters
    throw new TouchstoneError('checkpoint.malformed', {
      path,
      found: `${parameters.length} numbers`,
      expected: String(size),
    })
  })

/** Reads it back, bit for bit; a state of another run is an error that names the field. */
export const loadTrainingState = (
  path: string,
  identity: Readonly<Record<string, string>>,
  memorySize = 0,
): Promise<TrainingState> =>
  opened(path, identity, async (read, metadata) => {
    const [parameters, firstMoment, secondMoment] = [
      await read(TENSORS[0]),
      await read(TENSORS[1]),
      await read(TENSORS[2]),
    ]
    const memory = memorySize === 0 ? new Float32Array(0) : await read(MEMORY)
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

type Read = (name: string) => Promise<Float32Array>

/** Whether it is this run's is asked first. */
async function opened<T>(
  path: string,
  identity: Readonly<Record<string, string>>,
  use: (read: Read, metadata: ReadonlyMap<string, string>) => Promise<T>,
): Promise<T> {
  const { weights, metadata } = await readSafetensorsIndex(path)
  for (const [field, asked] of Object.entries(identity)) {
    const saved = metadata.get(field) ?? 'nothing'
    if (saved !== asked)
      throw new TouchstoneError('training.resume-mismatch', { field, saved, asked })
  }
  const files = await openFiles([path])
  try {
    return await use((name) => {
      const weight = weights.find((candidate) => candidate.name === name)
      if (!weight) throw new TouchstoneError('checkpoint.weight-missing', { path, name, near: [] })
      return readStoredWeight(files, weight)
    }, metadata)
  } finally {
    await files.close()
  }
}
