/**
 * @file Execution providers as the addon requests them, one per device. CUDA's own call is in `ort_device.cc`, WebGPU's error
 * reports are in `ort_api.cc`.
 */
import type { Provider } from '../native/addon.ts'
import type { Device } from './device.ts'

export const PROVIDERS: Readonly<Record<Device['name'], Provider | null>> = {
  cpu: null,
  webgpu: { name: 'WebGPU', memory: 'WebGPU_Buffer', options: [] },
  cuda: {
    name: 'CUDA',
    memory: 'Cuda',
    options: [
      // TF32 (ten bits of mantissa), the default on cards since Ampere, differs too much from the CPU's results.
      ['use_tf32', '0'],
      ['arena_extend_strategy', 'kSameAsRequested'],
    ],
  },
}
