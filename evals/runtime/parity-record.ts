/** @file What came of the parity self-test on this machine, kept until ONNX Runtime, the addon or the machine's cards change. */
import { mkdirSync, readdirSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { hostname } from 'node:os'
import { join } from 'node:path'
import ort from './onnxruntime.ts'
import { cacheFolder } from '../files/cache-folder.ts'
import { addon } from '../native/load.ts'

/** The devices that must pass before anything is trained or evaluated on them, the likeliest to be fast first. */
export const ACCELERATORS = ['cuda', 'webgpu'] as const
export type Accelerator = (typeof ACCELERATORS)[number]

/** What a pass is true of. */
export interface Machine {
  readonly onnxruntime: string
  readonly host: string
  /** Whether what learns there is the addon's and stays in the device's memory: another path than onnxruntime-node's. */
  readonly isResident: boolean
  /** Graphics cards and drivers as Linux names them; empty where there are none or another system does not say. */
  readonly cards: readonly string[]
}

export interface ParityRecord extends Machine {
  readonly device: Accelerator
  readonly passed: boolean
  /** Whether a card is known to have done the work. A processor may play one (llvmpipe): right for a test, slower than the CPU. */
  readonly isHardware: boolean
  /** The largest relative error of all that was compared, and of what. */
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

/** Undefined where the test has not been run, or something has changed since. */
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
  mkdirSync(join(path, '..'), { recursive: true })
  writeFileSync(`${path}.${process.pid}`, `${JSON.stringify(record, null, 2)}\n`)
  renameSync(`${path}.${process.pid}`, path)
  return path
}

/** A home folder may be shared between machines. */
const pathOf = (device: Accelerator, { host }: Machine): string =>
  join(cacheFolder(), 'devices', `${host}-${device}.json`)

const sameMachine = (a: Machine, b: Machine): boolean =>
  a.onnxruntime === b.onnxruntime &&
  a.host === b.host &&
  a.isResident === b.isResident &&
  a.cards.join() === b.cards.join()

/** Threads by which a processor plays a graphics card. */
const PLAYED = /^(?:llvmpipe|SwiftShader)/u

/** Whether a card does the work of the sessions that are open in this process. Windows does not say, so there none does. */
export function isOnCard(): boolean {
  if (process.platform === 'darwin') return true
  if (process.platform !== 'linux' || graphicsCards().length === 0) return false
  const threads = readdirSync('/proc/self/task')
  return !threads.some((id) => PLAYED.test(threadName(id)))
}

/** Empty where the thread has ended since it was listed. */
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
