/** @file Whether ONNX Runtime's telemetry is off, and whether files of it are on this machine. */
import { existsSync } from 'node:fs'
import { SWITCH, telemetryFolder } from '../../runtime/telemetry.ts'
import type { Check } from './checks.ts'

/** `folder` is where ONNX Runtime keeps its queue; undefined on systems where it keeps none. */
export function checkTelemetry(folder = telemetryFolder()): Check {
  const name = 'telemetry'
  const off = `off: every process sets ${SWITCH}=1 before ONNX Runtime is loaded`
  if (folder === undefined || !existsSync(folder))
    return { name, status: 'ok', detail: `${off}; no queue of it lies here`, remedy: null }
  return {
    name,
    status: 'warn',
    detail: `${off}; ${folder} holds what another program's ONNX Runtime collected`,
    remedy: `Set ${SWITCH}=1 for that program, and delete the folder.`,
  }
}
