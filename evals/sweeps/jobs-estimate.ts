/** @file How many cells fit side by side: cores over a cell's threads, and free memory over what one takes. */
import { availableParallelism } from 'node:os'

/** Node, ONNX Runtime and their code, measured on Pebble. */
const PROCESS_BYTES = 300e6
/** Weights, the packed copy that generation makes, and activations; a full fine-tune adds gradients and two moments. */
const COPIES = { adapter: 4, full: 8 } as const
const MEMORY_SHARE = 0.7
const BYTES_PER_PARAMETER = 4

export interface CellSize {
  /** 0 for a testbed. */
  readonly parameters: number
  readonly trainsWhole: boolean
  readonly threads: number
}

export interface Machine {
  readonly cores: number
  readonly freeBytes: number
}

export const thisMachine = (): Machine => ({
  cores: availableParallelism(),
  freeBytes: process.availableMemory(),
})

/** What one fine-tune takes, roughly. */
export function bytesNeeded({ parameters, trainsWhole }: Omit<CellSize, 'threads'>): number {
  const copies = trainsWhole ? COPIES.full : COPIES.adapter
  return PROCESS_BYTES + copies * BYTES_PER_PARAMETER * parameters
}

/** Of one cell's process. */
export function bytesOfCell({ parameters, trainsWhole }: CellSize): number {
  const copies = trainsWhole ? COPIES.full : COPIES.adapter
  return PROCESS_BYTES + copies * BYTES_PER_PARAMETER * parameters
}

/** At least one: a machine that is too small says so when it runs out. */
export function jobsFor(size: CellSize, { cores, freeBytes }: Machine): number {
  const fitting = (MEMORY_SHARE * freeBytes) / bytesOfCell(size)
  return Math.max(1, Math.floor(Math.min(cores / size.threads, fitting)))
}
