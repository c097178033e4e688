/** @file What the addon asks ONNX Runtime for. A device is a row; beside it stand CUDA's own call (`ort_device.cc`) and what WebGPU says of itself (`ort_api.cc`). */
import type { Provider } from '../native/addon.ts'
import type { Device } from './device.ts'

export const PROVIDERS: Readonly<Record<Device['name'], Provider | null>> = {
  cpu: null,
  webgpu: { name: 'WebGPU', memory: 'WebGPU_Buffer', options: [] },
  cuda: {
    name: 'CUDA',
    memory: 'Cuda',
    options: [
      // Ten bits of mantissa, which cards since Ampere otherwise multiply with, are not the CPU's numbers.
      ['use_tf32', '0'],
      ['arena_extend_strategy', 'kSameAsRequested'],
    ],
  },
}
