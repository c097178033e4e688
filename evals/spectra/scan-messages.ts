/** @file What a scan and its threads say to each other. */
import type { BaseStoreOptions } from './base-store.ts'
import type { Measured, Task } from './measuring.ts'

/** What a thread is started with. */
export type ThreadSettings = { store: Omit<BaseStoreOptions, 'onProblem'> | undefined }

export type ToThread = Task

/** `problem`: the folder of decompositions cannot be used. `failed`: it is to be done by whoever asked. */
export type FromThread =
  | { type: 'measured'; measured: Measured | undefined }
  | { type: 'failed' }
  | { type: 'problem'; why: string }
