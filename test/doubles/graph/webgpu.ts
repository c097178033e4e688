/** @file Whether this machine has a WebGPU device; Debian's mesa-vulkan-drivers makes one of the processor. */
import { probeProviders } from '../../../evals/runtime/device.ts'

const [found] = await probeProviders(['webgpu'])

export const hasWebGpu = found!.usable
export const webGpu = { name: 'webgpu', threads: 1 } as const

/** A title that says what was left out, and what would bring it. */
export const onWebGpu = (title: string): string =>
  hasWebGpu
    ? title
    : `${title} (skipped: no WebGPU device; on Debian, apt-get install mesa-vulkan-drivers)`
