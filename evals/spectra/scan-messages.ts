/** @file Messages between a scan and its threads. */
import type { BaseStoreOptions } from './base-store.ts'
import type { Measured } from './measuring.ts'

/** A thread's initial data. */
export type ThreadSettings = { store: Omit<BaseStoreOptions, 'onProblem'> | undefined }

/** `problem`: the cache folder cannot be used. `failed`: the caller must do the task itself. */
export type FromThread =
  | { type: 'measured'; measured: Measured | undefined }
  | { type: 'failed' }
  | { type: 'problem'; why: string }
