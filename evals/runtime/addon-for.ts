/** @file Whose sessions run a graph: the addon's, or onnxruntime-node's. It does not load ONNX Runtime. */
import type { Addon } from '../native/addon.ts'
import { addon } from '../native/load.ts'
import type { Device } from './device.ts'

type Runs = Pick<Device, 'name' | 'profilePrefix'>

/**
 * On a device what is learnt is the addon's, which alone can leave it in the device's memory; what is generated there is
 * onnxruntime-node's, and so are profiles.
 */
export const addonFor = (
  { name, profilePrefix }: Runs,
  purpose: 'train' | 'generate',
): Addon | undefined =>
  profilePrefix || (name !== 'cpu' && purpose === 'generate') ? undefined : addon()

/** Whether what `into` names is written there alone; elsewhere every result is copied as well. */
export const extendsInPlace = (device: Runs): boolean => addonFor(device, 'generate') !== undefined
