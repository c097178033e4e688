/** @file Tensors copied once to WebGPU memory, so that runs need not copy them. */
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
 * Copies through a graph that returns its inputs and keeps the outputs on the device. They live as long as this session. Never
 * read such a tensor's data: `getData()` ends the process.
 */
export async function toWebGpu(
  host: Readonly<Record<string, ort.Tensor>>,
): Promise<DeviceTensors | undefined> {
  if (Object.keys(host).length === 0) return undefined
  const session = await openPlainSession(identityGraph(host), {
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
/** An input's name must differ from every output's. */
const prefixed = <T>(host: Readonly<Record<string, T>>): Record<string, T> =>
  Object.fromEntries(Object.entries(host).map(([name, tensor]) => [`${HOST}${name}`, tensor]))

/** A graph whose outputs are its inputs. */
function identityGraph(host: Readonly<Record<string, ort.Tensor>>): Uint8Array {
  const g = createGraph()
  const outputs = Object.fromEntries(
    Object.entries(host).map(([name, { type, dims }]) => [
      name,
      g.input(`${HOST}${name}`, type as Dtype, dims),
    ]),
  )
  return encode(g, outputs).bytes
}
