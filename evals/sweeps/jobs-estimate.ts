/** @file How many cells run at a time: limited by cores over threads of a cell, and by free memory over memory of a cell. */
import { availableParallelism } from 'node:os'

const MEMORY_SHARE = 0.7

export interface CellSize {
  /** Peak memory of one cell, bytes. */
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

/** At least one; a machine that is too small fails when memory runs out. */
export function jobsFor(size: CellSize, { cores, freeBytes }: Machine): number {
  const fitting = (MEMORY_SHARE * freeBytes) / size.bytes
  return Math.max(1, Math.floor(Math.min(cores / size.threads, fitting)))
}
