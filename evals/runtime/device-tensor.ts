/** @file A tensor in a device's memory, readable only through the `DeviceMemory` that placed it. */
import type { Addon, ValueHandle } from '../native/addon.ts'

export class DeviceTensor {
  readonly dims: readonly number[]
  /** ONNX's number for the dtype. */
  readonly type: number
  readonly value: ValueHandle
  readonly #native: Addon

  constructor(native: Addon, value: ValueHandle, type: number, dims: readonly number[]) {
    this.#native = native
    this.value = value
    this.type = type
    this.dims = dims
  }

  free(): void {
    this.#native.releaseValue(this.value)
  }
}
