/** @file What a run is measured with: versions, platform, processor, device. Stored with the run. */
import { cpus } from 'node:os'
import type { Engine } from '../contract/events.ts'
import { numerics } from '../native/load.ts'
import { chooseDevice, DEVICES, onnxRuntimeVersion, type DeviceName } from '../runtime/device.ts'
import { valueAt } from '../contract/form.ts'
import { version } from './version.ts'

/** Throws where the device that the configuration names cannot be used. */
export function engineFor(config: unknown): Engine {
  const asked = valueAt(config, ['device'])
  const threads = valueAt(config, ['threads'])
  const name: DeviceName = DEVICES.find((known) => known === asked) ?? 'auto'
  const device = chooseDevice(name, typeof threads === 'number' ? threads : undefined)
  return {
    version: version(),
    node: process.versions.node,
    onnxruntime: onnxRuntimeVersion(),
    platform: `${process.platform}-${process.arch}`,
    cpu: cpus()[0]?.model.trim() || 'unknown',
    threads: device.threads,
    device: device.name,
    arithmetic: numerics().name,
  }
}
