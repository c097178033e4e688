/** @file How many cells fit side by side: cores over a cell's threads, and free memory over what one takes. */
import { availableParallelism } from 'node:os'

const MEMORY_SHARE = 0.7

export interface CellSize {
  /** Memory of one at its peak. */
  readonly bytes: number
  readonly threads: number
}

interface Machine {
  readonly cores: number
  readonly freeBytes: number
}

export const thisMachine = (): Machine => ({
  cores: availableParallelism(),
  freeBytes: process.availableMemory(),
})

/** At least one: a machine that is too small says so when it runs out. */
export function jobsFor(size: CellSize, { cores, freeBytes }: Machine): number {
  const fitting = (MEMORY_SHARE * freeBytes) / size.bytes
  return Math.max(1, Math.floor(Math.min(cores / size.threads, fitting)))
}
