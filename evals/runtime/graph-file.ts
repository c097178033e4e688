/** @file Runs a model file unmodified, with whatever operators it has, as other programs would. */
import ort from './onnxruntime.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import type { Device } from './device.ts'
import { refusedByOrt } from './ort-errors.ts'
import { openPlainSession } from './plain-session.ts'
import type { TensorData } from './tensor.ts'

export interface FileTensor {
  readonly dtype: 'int64' | 'int32' | 'float32'
  readonly data: TensorData
  readonly dims: readonly number[]
}

export interface FileRunner {
  run(
    feeds: Readonly<Record<string, FileTensor>>,
    wanted: readonly string[],
  ): Promise<Record<string, { data: TensorData; dims: readonly number[] }>>
  release(): Promise<void>
}

/** A model's bytes in place of the file's, and its external data by location. */
export interface InMemory {
  readonly bytes: Uint8Array
  readonly weights: ReadonlyMap<string, Float32Array>
}

/** External data is read from the file's folder; ONNX Runtime refuses paths that leave it. */
export async function openGraphFile(
  path: string,
  device: Device,
  memory?: InMemory,
): Promise<FileRunner> {
  requireCpu(device)
  const options: ort.InferenceSession.SessionOptions = {
    executionProviders: [device.name],
    intraOpNumThreads: device.threads,
    interOpNumThreads: 1,
    logSeverityLevel: 4,
    externalData: [...(memory?.weights ?? [])].map(
      ([name, { buffer, byteOffset, byteLength }]) => ({
        path: name,
        data: new Uint8Array(buffer, byteOffset, byteLength),
      }),
    ),
  }
  const refused = (error: unknown): never => {
    throw refusedByOrt(path, error)
  }
  const session = await openPlainSession(memory?.bytes ?? path, options).catch(refused)
  return {
    async run(feeds, wanted) {
      const results = await session.run(tensorsOf(feeds), [...wanted]).catch(refused)
      return Object.fromEntries(
        Object.entries(results).map(([name, { data, dims }]) => [
          name,
          { data: data as TensorData, dims },
        ]),
      )
    },
    release: () => session.release(),
  }
}

function requireCpu(device: Device): void {
  if (device.name === 'cpu') return
  throw new TouchstoneError('device.unusable', {
    device: device.name,
    why: 'a model that brings its own ONNX graph is run on the CPU alone',
    remedy: 'Use --device cpu.',
  })
}

const tensorsOf = (feeds: Readonly<Record<string, FileTensor>>): Record<string, ort.Tensor> =>
  Object.fromEntries(
    Object.entries(feeds).map(([name, { dtype, data, dims }]) => [
      name,
      new ort.Tensor(dtype as 'float32', data as Float32Array, dims),
    ]),
  )
