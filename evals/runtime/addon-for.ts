/** @file Chooses whose session runs a graph, the addon's or onnxruntime-node's, without loading ONNX Runtime. */
import type { Addon } from '../native/addon.ts'
import { addon } from '../native/load.ts'
import type { Device } from './device.ts'

type Runs = Pick<Device, 'name' | 'profilePrefix'>

/** Only onnxruntime-node writes profiles. */
export const addonFor = ({ profilePrefix }: Runs): Addon | undefined =>
  profilePrefix ? undefined : addon()

/**
 * Whether outputs named in `into` are written in place, so that the next run reads them without a copy. Otherwise every result
 * is copied, and on a device every input as well.
 */
export const extendsInPlace = (device: Runs): boolean =>
  device.name === 'cpu' && addonFor(device) !== undefined
