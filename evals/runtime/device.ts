/**
 * @file The devices. `auto` chooses the CPU until another device has passed the parity self-test; there is no silent fallback.
 */
import { cpus } from 'node:os'
import type ort from './onnxruntime.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { encode } from '../graph/encode.ts'
import { CPU, LEARNING, PORTABLE, type Dialect } from '../graph/op.ts'
import { createGraph } from '../graph/ops/index.ts'
import {
  ACCELERATORS,
  isOnCard,
  parityOf,
  type Accelerator,
  type ParityRecord,
} from './parity-record.ts'
import { openPlainSession } from './plain-session.ts'

export { onnxRuntimeVersion } from './parity-record.ts'

export const DEVICES = ['auto', 'cpu', 'cuda', 'webgpu'] as const
export type DeviceName = (typeof DEVICES)[number]

export interface Device {
  readonly name: Exclude<DeviceName, 'auto'>
  readonly threads: number
  /** What the keys and values of a model that is asked are kept in; float32 if absent. */
  readonly cache?: 'float16' | 'int8'
  /** File prefix of ONNX Runtime's profile, written when a session is released; for benches. */
  readonly profilePrefix?: string
}

/** Operator sets per device, for inference and for training. */
export const dialectOf = ({ name }: Pick<Device, 'name'>): Dialect =>
  name === 'cpu' ? CPU : PORTABLE
export const learningDialectOf = ({ name }: Pick<Device, 'name'>): Dialect =>
  name === 'cpu' ? LEARNING : PORTABLE

export interface ProviderReport {
  readonly name: string
  readonly usable: boolean
  readonly why: string
}

/** Opens a one-node model on each execution provider and reports ONNX Runtime's message. */
export async function probeProviders(
  names: readonly string[] = ['cpu', 'cuda', 'webgpu'],
): Promise<ProviderReport[]> {
  const reports: ProviderReport[] = []
  for (const name of names) {
    try {
      const session = await openOneNode(name)
      await session.release()
      const why = name === 'cpu' ? 'always there' : 'a session opened'
      reports.push({ name, usable: true, why })
    } catch (error) {
      const why = (error as Error).message.split('\n')[0]!.slice(0, 300)
      reports.push({ name, usable: false, why })
    }
  }
  return reports
}

function openOneNode(name: string): Promise<ort.InferenceSession> {
  const g = createGraph()
  const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
  return openPlainSession(bytes, { executionProviders: [name], logSeverityLevel: 4 })
}

/** Whether the device is a graphics card rather than a software renderer. */
export async function isHardware(name: Accelerator): Promise<boolean> {
  const session = await openOneNode(name)
  try {
    return isOnCard()
  } finally {
    await session.release()
  }
}

export const CUDA_REMEDY =
  'On Linux with an NVIDIA card and CUDA 12, add the provider with: node node_modules/onnxruntime-node/script/install.js --onnxruntime-node-install=cuda12 (docs/gpu.md).'

const selfTest = (name: Accelerator) => `touchstone doctor --device ${name} --parity`

/**
 * The device to run on. Any but the CPU must have passed the gradient parity self-test on this machine with this ONNX Runtime.
 * `auto` takes such a device if it is hardware.
 */
export function chooseDevice(
  name: DeviceName,
  threads = cpus().length,
  recordOf: (name: Accelerator) => ParityRecord | undefined = parityOf,
): Device {
  if (name === 'cpu') return { name, threads }
  if (name === 'auto') {
    const found = ACCELERATORS.find((each) => isFast(recordOf(each)))
    return { name: found ?? 'cpu', threads }
  }
  const record = recordOf(name)
  if (record?.passed) return { name, threads }
  throw new TouchstoneError('device.unusable', { device: name, ...objection(name, record) })
}

const isFast = (record: ParityRecord | undefined): boolean =>
  record !== undefined && record.passed && record.isHardware

const objection = (name: Accelerator, record: ParityRecord | undefined) =>
  record
    ? {
        why: `it failed the gradient parity self-test (${record.of} is off by ${record.worst.toExponential(1)})`,
        remedy: `Use --device cpu. After a new driver or ONNX Runtime, run \`${selfTest(name)}\` again.`,
      }
    : {
        why: 'the gradient parity self-test has not been passed on it here, with this ONNX Runtime, these cards and the native path as it is',
        remedy: `Run \`${selfTest(name)}\` once, or use --device cpu.`,
      }
