/** @file Chooses whose session runs a graph, the addon's or onnxruntime-node's, without loading ONNX Runtime. */
import type { Addon } from '../native/addon.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { addon, load } from '../native/load.ts'
import type { Device } from './device.ts'

type Runs = Pick<Device, 'name' | 'profilePrefix'>

/** Only onnxruntime-node writes profiles. */
export const addonFor = ({ profilePrefix }: Runs): Addon | undefined =>
  profilePrefix ? undefined : addon()

/** Why products with blocks cannot be computed here. */
export function needsAddon(): TouchstoneError {
  const found = load()
  const why = found.addon ? 'profiles are written without it' : found.why
  return new TouchstoneError('blocks.needs-addon', { why })
}

/**
 * Whether outputs named in `into` are written in place, so that the next run reads them without a copy. Otherwise every result
 * is copied, and on a device every input as well.
 */
export const extendsInPlace = (device: Runs): boolean =>
  device.name === 'cpu' && addonFor(device) !== undefined
