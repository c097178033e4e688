/** @file Whose sessions run a graph: the addon's, or onnxruntime-node's. It does not load ONNX Runtime. */
import type { Addon } from '../native/addon.ts'
import { addon } from '../native/load.ts'
import type { Device } from './device.ts'

type Runs = Pick<Device, 'name' | 'profilePrefix'>

/** Profiles are onnxruntime-node's business. */
export const addonFor = ({ profilePrefix }: Runs): Addon | undefined =>
  profilePrefix ? undefined : addon()

/**
 * Whether what `into` names is written there alone and is at once what a next run reads; elsewhere every result is copied as
 * well, and on a device inputs are.
 */
export const extendsInPlace = (device: Runs): boolean =>
  device.name === 'cpu' && addonFor(device) !== undefined
