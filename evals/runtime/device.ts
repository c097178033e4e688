/** @file Which devices there are. `auto` is the CPU until a parity self-test has passed elsewhere; nothing falls back in silence. */
import { cpus } from 'node:os'
import ort from 'onnxruntime-node'
import { TouchstoneError } from '../errors.ts'
import { encode } from '../graph/encode.ts'
import { createGraph } from '../graph/ops/index.ts'

export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'] as const
export type DeviceName = (typeof DEVICES)[number]

export interface Device {
  readonly name: 'cpu'
  readonly threads: number
  /** Where ONNX Runtime shall write a profile of each session when it is released; for benches. */
  readonly profilePrefix?: string
}

export interface ProviderReport {
  readonly name: string
  readonly usable: boolean
  readonly why: string
}

/** Tries each execution provider with a one-node model and says what came of it, in ONNX Runtime's words. */
export async function probeProviders(
  names: readonly string[] = ['cpu', 'cuda', 'webgpu'],
): Promise<ProviderReport[]> {
  const g = createGraph()
  const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
  const reports: ProviderReport[] = []
  for (const name of names) {
    try {
      const session = await ort.InferenceSession.create(bytes, {
        executionProviders: [name],
        logSeverityLevel: 4,
      })
      await session.release()
      reports.push({
        name,
        usable: true,
        why: name === 'cpu' ? 'always there' : 'a session opened',
      })
    } catch (error) {
      reports.push({
        name,
        usable: false,
        why: (error as Error).message.split('\n')[0]!.slice(0, 300),
      })
    }
  }
  return reports
}

export const CUDA_REMEDY =
  'On Linux with an NVIDIA card and CUDA 12, add the provider with: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12'

/**
 * The device to run on. Training and evaluation run on the CPU in this version: CUDA outputs always come back to the host
 * through the binding, and the gradient parity self-test has not been passed on another device.
 */
export function chooseDevice(name: DeviceName, threads?: number): Device {
  if (name === 'auto' || name === 'cpu') return { name: 'cpu', threads: threads ?? cpus().length }
  throw new TouchstoneError('device.unusable', {
    device: name,
    why: 'no gradient parity self-test has passed on it in this version',
    remedy: 'Use --device cpu; `touchstone doctor` says which providers ONNX Runtime can open.',
  })
}

export const onnxRuntimeVersion = (): string => ort.env.versions.node ?? ort.env.versions.common
