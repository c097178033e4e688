/** @file Results of the parity self-test on this machine, valid until ONNX Runtime, the addon or the graphics cards change. */
import { readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import ort from './onnxruntime.ts'
import { cacheFolder } from '../files/cache-folder.ts'
import { makePrivateFolder } from '../files/private-file.ts'
import { addon } from '../native/load.ts'

/** Devices that must pass the self-test before use, the fastest kind first. */
export const ACCELERATORS = ['cuda', 'webgpu'] as const
export type Accelerator = (typeof ACCELERATORS)[number]

/** What a result is valid for. */
export interface Machine {
  readonly onnxruntime: string
  readonly host: string
  /** Whether training runs through the addon and keeps its state in device memory, rather than through onnxruntime-node. */
  readonly isResident: boolean
  /** Graphics cards and drivers as named by Linux; empty without cards and on other systems. */
  readonly cards: readonly string[]
}

export interface ParityRecord extends Machine {
  readonly device: Accelerator
  readonly passed: boolean
  /** Whether a graphics card did the work. A software renderer (llvmpipe) is correct but slower than the CPU. */
  readonly isHardware: boolean
  /** The largest relative error, and the quantity that has it. */
  readonly worst: number
  readonly of: string
  /** ISO 8601. */
  readonly at: string
}

export const onnxRuntimeVersion = (): string => ort.env.versions.node ?? ort.env.versions.common

export const thisMachine = (): Machine => ({
  onnxruntime: onnxRuntimeVersion(),
  host: hostname(),
  isResident: addon() !== undefined,
  cards: graphicsCards(),
})

/** Returns undefined if the test has not run on this machine as it is now. */
export function parityOf(device: Accelerator, machine = thisMachine()): ParityRecord | undefined {
  try {
    const record = JSON.parse(readFileSync(pathOf(device, machine), 'utf8')) as ParityRecord
    return sameMachine(record, machine) ? record : undefined
  } catch {
    return undefined
  }
}

export function keepParity(record: ParityRecord): string {
  const path = pathOf(record.device, record)
  makePrivateFolder(join(path, '..'))
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(`${path}.${process.pid}`, path)
  return path
}

/** Machines may share a home folder. */
const pathOf = (device: Accelerator, { host }: Machine): string =>
  join(cacheFolder(), 'devices', `${host}-${device}.json`)

const sameMachine = (a: Machine, b: Machine): boolean =>
  a.onnxruntime === b.onnxruntime &&
  a.host === b.host &&
  a.isResident === b.isResident &&
  a.cards.join() === b.cards.join()

/** Thread names of software renderers. */
const PLAYED = /^(?:llvmpipe|SwiftShader)/u

/** Whether a card does the work of this process's open sessions. False on Windows, which gives no such information. */
export function isOnCard(): boolean {
  if (process.platform === 'darwin') return true
  if (process.platform !== 'linux' || graphicsCards().length === 0) return false
  const threads = readdirSync('/proc/self/task')
  return !threads.some((id) => PLAYED.test(threadName(id)))
}

/** Empty if the thread has ended since it was listed. */
function threadName(id: string): string {
  try {
    return readFileSync(`/proc/self/task/${id}/comm`, 'utf8')
  } catch {
    return ''
  }
}

const DRM = '/sys/class/drm'
const NVIDIA = '/proc/driver/nvidia/version'

/** Cards that can compute have a render node. */
function graphicsCards(): string[] {
  const read = (path: string) => readFileSync(path, 'utf8').split('\n')[0]!.trim()
  const found = (list: () => string[]): string[] => {
    try {
      return list()
    } catch {
      return []
    }
  }
  const nodes = found(() => readdirSync(DRM).filter((name) => name.startsWith('renderD')))
  return [
    ...nodes.sort().flatMap((node) =>
      found(() => {
        const of = (what: string) => read(join(DRM, node, 'device', what))
        return [`${of('vendor')}:${of('device')}`]
      }),
    ),
    ...found(() => [read(NVIDIA)]),
  ]
}
