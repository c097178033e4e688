/** @file Runs a model file as it lies, whatever operators it is made of: what other programs would run. */
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

/** A model's bytes in place of the file's, and what its external data is, by location. */
export interface InMemory {
  readonly bytes: Uint8Array
  readonly weights: ReadonlyMap<string, Float32Array>
}

/** External data is read from beside the file; ONNX Runtime itself refuses paths that leave its folder. */
export async function openGraphFile(
  path: string,
  device: Device,
  memory?: InMemory,
): Promise<FileRunner> {
  if (device.name !== 'cpu') {
    throw new TouchstoneError('device.unusable', {
      device: device.name,
      why: 'a model that brings its own ONNX graph is run on the CPU alone',
      remedy: 'Use --device cpu.',
    })
  }
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
  const session = await openPlainSession(memory?.bytes ?? path, options).catch((error: unknown) => {
    throw refusedByOrt(path, error)
  })
  return {
    async run(feeds, wanted) {
      const tensors = Object.entries(feeds).map(([name, { dtype, data, dims }]) => {
        return [name, new ort.Tensor(dtype as 'float32', data as Float32Array, dims)] as const
      })
      try {
        const results = await session.run(Object.fromEntries(tensors), [...wanted])
        return Object.fromEntries(
          Object.entries(results).map(([name, { data, dims }]) => [
            name,
            { data: data as TensorData, dims },
          ]),
        )
      } catch (error) {
        throw refusedByOrt(path, error)
      }
    },
    release: () => session.release(),
  }
}
