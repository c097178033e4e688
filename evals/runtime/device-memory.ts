/** @file Tensors copied once to WebGPU memory, so that runs need not copy them. */
import type ort from './onnxruntime.ts'
import { identityGraph, prefixed } from './identity-graph.ts'
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
  const feeds = prefixed(host)
  const session = await openPlainSession(identityGraph(host), {
    executionProviders: ['webgpu'],
    graphOptimizationLevel: 'disabled',
    preferredOutputLocation: 'gpu-buffer',
    logSeverityLevel: 4,
  })
  const running = session.run(feeds) as Promise<Record<string, ort.Tensor>>
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
