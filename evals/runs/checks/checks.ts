/** @file The checks of `doctor`, one function per finding. */
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { statfs } from 'node:fs/promises'
import { availableParallelism, cpus, freemem, tmpdir, totalmem } from 'node:os'
import { join } from 'node:path'
import { z } from 'zod'
import { load } from '../../native/load.ts'
import { openStore } from '../store/store.ts'
import { missingLibrary, probe } from './probe.ts'

/** `warn`: Touchstone works, but less well or without this. `fail`: it does not work. */
export interface Check {
  readonly name: string
  readonly status: 'ok' | 'warn' | 'fail'
  readonly detail: string
  readonly remedy: string | null
}

const ok = (name: string, detail: string): Check => ({ name, status: 'ok', detail, remedy: null })

const GIGABYTE = 2 ** 30
const gigabytes = (bytes: number) => `${(bytes / GIGABYTE).toFixed(1)} GiB`
const NEEDED_NODE = 24
const SMALL_MEMORY = 2 * GIGABYTE
const SMALL_DISK = 2 * GIGABYTE

export function checkNode(version = process.versions.node): Check {
  if (Number(version.split('.')[0]) >= NEEDED_NODE) return ok('node', version)
  const remedy = `Run npm ci --include=optional, which brings a newer Node, or install Node ${NEEDED_NODE}.`
  return { name: 'node', status: 'fail', detail: `${version} is too old`, remedy }
}

const PROVIDERS = ['cpu', 'cuda', 'webgpu'] as const

const Probe = z.object({
  name: z.string(),
  usable: z.boolean(),
  why: z.string(),
  onnxruntime: z.string().optional(),
  cudaRemedy: z.string().optional(),
  /** Whether the CPU's kernel sums int8 products exactly. */
  sumsInt8: z.boolean().optional(),
  /** Result of the parity self-test, if it has run here. */
  parity: z.object({ passed: z.boolean(), isHardware: z.boolean(), at: z.string() }).optional(),
})
type Probe = z.infer<typeof Probe>

/** All devices, or `only` one. */
export async function checkProviders(only?: string): Promise<Check[]> {
  const asked = PROVIDERS.filter((name) => only === undefined || name === only)
  const probes = await Promise.all(asked.map(probeProvider))
  const version = probes.find(({ onnxruntime }) => onnxruntime !== undefined)?.onnxruntime
  const runtime: Check = version
    ? ok('onnxruntime', version)
    : {
        name: 'onnxruntime',
        status: 'fail',
        detail: probes[0]!.why,
        remedy: 'Run npm ci --include=optional to install it again.',
      }
  return [runtime, ...probes.flatMap((found) => [providerCheck(found), ...int8Check(found)])]
}

export function int8Check({ sumsInt8 }: Pick<Probe, 'sumsInt8'>): Check[] {
  if (sumsInt8 === undefined) return []
  if (sumsInt8) return [ok('int8', 'sums are exact, so train and audit take --forward int8')]
  const detail = 'no VNNI: sums are cut off at 16 bits, so --forward int8 is refused'
  return [{ name: 'int8', status: 'warn', detail, remedy: null }]
}

/** Only the CPU must work: training and evaluation run there unless another device is named. */
export function providerCheck(
  { name, usable, why, cudaRemedy, parity }: Probe,
  hasNvidia = hasNvidiaCard(),
): Check {
  if (name === 'cpu') {
    if (usable) return ok(name, 'usable; training and evaluation run here')
    const remedy = 'Run npm ci --include=optional to install ONNX Runtime again.'
    return { name, status: 'fail', detail: why, remedy }
  }
  if (usable) return acceleratorCheck(name, parity)
  const canBeAdded = name === 'cuda' && hasNvidia && process.platform === 'linux'
  return { name, status: 'warn', detail: why, remedy: canBeAdded ? (cudaRemedy ?? null) : null }
}

const UNSEEN: Readonly<Record<string, string>> = {
  cuda: '; this version has never been run on a CUDA card (docs/gpu.md)',
}

function acceleratorCheck(name: string, parity: Probe['parity']): Check {
  const selfTest = `touchstone doctor --device ${name} --parity`
  const day = parity?.at.slice(0, 10)
  if (parity?.passed) {
    const chosen = parity.isHardware
      ? '--device auto takes it'
      : `no card was at work, so --device auto does not take it, and --device ${name} does`
    return ok(name, `passed the parity self-test on ${day}; ${chosen}`)
  }
  const detail = parity
    ? `failed the parity self-test on ${day}: nothing is trained on it`
    : `opens in ONNX Runtime; nothing runs on it before the parity self-test has passed${UNSEEN[name] ?? ''}`
  return { name, status: 'warn', detail, remedy: `Run ${selfTest}.` }
}

const hasNvidiaCard = () => existsSync('/proc/driver/nvidia/version') || existsSync('/dev/nvidia0')

const PROBE_MS = 60_000

async function probeProvider(name: string): Promise<Probe> {
  const { found, told, ended } = await probe('doctor-probe', [name], Probe, PROBE_MS)
  return found ? withLibrary(found, told) : { name, usable: false, why: ended }
}

export function withLibrary(found: Probe, told: string): Probe {
  const missing = missingLibrary(told)
  if (found.usable || !missing) return found
  return { ...found, why: `the library ${missing} is missing` }
}

export function checkMemory(total = totalmem(), free = freemem()): Check {
  const detail = `${gigabytes(total)}, ${gigabytes(free)} of it free`
  if (total >= SMALL_MEMORY) return ok('memory', detail)
  const remedy = 'Keep to small models; the bundled one needs less than this.'
  return { name: 'memory', status: 'warn', detail, remedy }
}

export const checkCores = (): Check =>
  ok('cores', `${availableParallelism()} of ${cpus()[0]?.model.trim() || 'an unknown processor'}`)

/** The native addon; everything works without it too. */
export function checkNative(found = load()): Check {
  if (found.addon)
    return ok(
      'native',
      `built; runs ${found.addon.instructions()} of ${found.addon.knownInstructions().join(', ')}`,
    )
  const { why, remedy } = found
  const detail = `${why}; spectra and full fine-tuning run in TypeScript, several times slower`
  return { name: 'native', status: 'warn', detail, remedy }
}

/** Opens a database, because the native part of better-sqlite3 may be missing or built for another Node. */
export function checkDatabase(): Check {
  const folder = mkdtempSync(join(tmpdir(), 'touchstone-doctor-'))
  try {
    openStore(join(folder, 'touchstone.db')).close()
    return ok('database', 'better-sqlite3 opens one')
  } catch (error) {
    const detail = (error as Error).message.split('\n')[0]!
    const remedy = 'Run npm ci --include=optional to install better-sqlite3 again.'
    return { name: 'database', status: 'fail', detail, remedy }
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

export async function checkDisk(folder = '.'): Promise<Check> {
  const { bavail, bsize } = await statfs(folder)
  const free = bavail * bsize
  const detail = `${gigabytes(free)} free here`
  if (free >= SMALL_DISK) return ok('disk', detail)
  const remedy = 'Free some space, or name a folder on another disk with --out-dir.'
  return { name: 'disk', status: 'warn', detail, remedy }
}
