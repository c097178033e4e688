/** @file Which devices there are. `auto` is the CPU until a parity self-test has passed elsewhere; nothing falls back in silence. */
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
  /** Where ONNX Runtime shall write a profile of each session when it is released; for benches. */
  readonly profilePrefix?: string
}

/** In which operators a graph for this device is written: one that is asked, and one that learns. */
export const dialectOf = ({ name }: Pick<Device, 'name'>): Dialect =>
  name === 'cpu' ? CPU : PORTABLE
export const learningDialectOf = ({ name }: Pick<Device, 'name'>): Dialect =>
  name === 'cpu' ? LEARNING : PORTABLE

export interface ProviderReport {
  readonly name: string
  readonly usable: boolean
  readonly why: string
}

/** Tries each execution provider with a one-node model and says what came of it, in ONNX Runtime's words. */
export async function probeProviders(
  names: readonly string[] = ['cpu', 'cuda', 'webgpu'],
): Promise<ProviderReport[]> {
  const reports: ProviderReport[] = []
  for (const name of names) {
    try {
      const session = await openOneNode(name)
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

function openOneNode(name: string): Promise<ort.InferenceSession> {
  const g = createGraph()
  const { bytes } = encode(g, { y: g.input('x', 'float32', [1]) })
  return openPlainSession(bytes, { executionProviders: [name], logSeverityLevel: 4 })
}

/** Whether a card, and not a processor that plays one, is behind this device. */
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
 * The device to run on. Any but the CPU must have passed the gradient parity self-test here, under this ONNX Runtime;
 * `auto` takes one that did, unless a processor only played it.
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
