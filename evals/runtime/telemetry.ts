/**
 * @file ONNX Runtime's own telemetry, switched off. Since 1.30 its Linux and macOS builds post events to Microsoft and keep an
 * identifier and a queue in the user's cache folder, unless ORT_DISABLE_TELEMETRY is 1 before the library is loaded
 * (microsoft/onnxruntime, pull request 27379). On Windows its events go to the system's tracing (ETW), which this leaves alone.
 */
import { existsSync, rmSync, writeFileSync } from 'node:fs'
import { homedir } from 'node:os'
import { join } from 'node:path'
import { isMainThread } from 'node:worker_threads'
import { cacheFolder } from '../files/cache-folder.ts'
import { makePrivateFolder } from '../files/private-file.ts'

export const SWITCH = 'ORT_DISABLE_TELEMETRY'

type Environment = Readonly<Record<string, string | undefined>>

/** Sets the switch for this process and its children, whatever the environment says. */
export function switchTelemetryOff(): void {
  // A worker's environment is a copy that C++ does not see.
  if (!isMainThread) throw new Error('internal: ONNX Runtime is loaded in the main thread alone')
  process.env[SWITCH] = '1'
}

/** Where ONNX Runtime keeps its identifier and its queue on Linux; undefined on other systems. */
export function telemetryFolder(
  environment: Environment = process.env,
  platform: string = process.platform,
  home = homedir(),
): string | undefined {
  if (platform !== 'linux') return undefined
  const cache = environment['XDG_CACHE_HOME'] || join(home, '.cache')
  return join(cache, 'Microsoft', 'DeveloperTools', '.onnxruntime')
}

/** Says that earlier versions' files are gone; what lies there later is another program's. */
const MARK = 'onnxruntime-telemetry-removed'

/** Removes, once a user, the queue and the identifier that earlier versions of Touchstone left behind. */
export function removeLeftovers(
  folder = telemetryFolder(),
  cache = cacheFolder(),
): 'removed' | 'nothing' {
  const mark = join(cache, MARK)
  if (folder === undefined || existsSync(mark)) return 'nothing'
  const wasThere = existsSync(folder)
  try {
    rmSync(folder, { recursive: true, force: true })
    makePrivateFolder(cache)
    writeFileSync(mark, '', { mode: 0o600 })
  } catch {
    // A cache that cannot be written is no reason not to run; `doctor` names what is left.
    return 'nothing'
  }
  return wasThere ? 'removed' : 'nothing'
}
