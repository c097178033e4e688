/** @file Tensors that a session reads and writes, in the host's memory or a device's. */
import type { DeviceTensor } from './device-tensor.ts'

export type FrozenData = Float32Array | Float16Array | Int8Array | Uint8Array
export type TensorData = FrozenData | Float64Array | Int32Array | BigInt64Array

export interface Tensor {
  readonly data: TensorData
  readonly dims: readonly number[]
}

/** Tensors in the host's memory, by input or output name. */
export type Feeds = Readonly<Record<string, Tensor>>
/** Tensors in the host's memory or in that of the runner's device. */
export type Memories = Readonly<Record<string, Tensor | DeviceTensor>>
