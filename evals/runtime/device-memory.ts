/** @file Tensors copied once into a device's own memory, so that a run need not carry them there again. */
import type ort from './onnxruntime.ts'
import { encode } from '../graph/encode.ts'
import { createGraph } from '../graph/ops/index.ts'
import type { Dtype } from '../graph/value.ts'
import { openPlainSession } from './plain-session.ts'

interface DeviceTensors {
  readonly tensors: Readonly<Record<string, ort.Tensor>>
  release(): Promise<void>
}

/**
 * Through a graph that hands its inputs on, whose outputs stay where they were made. They live as long as this session
 * does. Never ask such a tensor for its data: `getData()` ends the process.
 */
export async function toWebGpu(
  host: Readonly<Record<string, ort.Tensor>>,
): Promise<DeviceTensors | undefined> {
  if (Object.keys(host).length === 0) return undefined
  const session = await openPlainSession(handOn(host), {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'disabled',
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 4,
  })
  const running = session.run(prefixed(host)) as Promise<Record<string, ort.Tensor>>
  const tensors = await running.catch(async (error: unknown) => {
    await session.release()
    throw error
  })
  return {
    tensors,
    async release() {
      for (const tensor of Object.values(tensors)) tensor.dispose()
      await session.release()
    },
  }
}

const HOST = 'host:'
/** An input may not have the name of an output. */
const prefixed = <T>(host: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(host).map(([name, tensor]) => [`${HOST}${name}`, tensor]))

/** The graph whose outputs are its inputs, under their names. */
function handOn(host: Readonly<Record<string, ort.Tensor>>): Uint8Array {
  const g = createGraph()
  const outputs = Object.fromEntries(
    Object.entries(host).map(([name, { type, dims }]) => [
      name,
      g.input(`${HOST}${name}`, type as Dtype, dims),
    ]),
  )
  return encode(g, outputs).bytes
}
