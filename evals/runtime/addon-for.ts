/** @file Whose sessions run a graph: the addon's, or onnxruntime-node's. It does not load ONNX Runtime. */
import type { Addon } from '../native/addon.ts'
import { addon } from '../native/load.ts'
import type { Device } from './device.ts'

type Runs = Pick<Device, 'name' | 'profilePrefix'>

/** Other devices and profiles are onnxruntime-node's business. */
export const addonFor = ({ name, profilePrefix }: Runs): Addon | undefined =>
  name === 'cpu' && !profilePrefix ? addon() : undefined

/** Whether what `into` names is written there alone; elsewhere every result is copied as well. */
export const extendsInPlace = (device: Runs): boolean => addonFor(device) !== undefined
