/** @file Messages between the engine and the process of a job. */
import type { JobKindName } from '../contract/calls/catalog.ts'
import type { WireError } from '../contract/wire-error.ts'

export interface JobRequest {
  readonly kind: JobKindName
  readonly config: unknown
  readonly isResumed: boolean
  readonly command: string
  /** Of the run's database. */
  readonly folder: string
}

export type ToJob = { readonly type: 'stop' }

export type FromJob =
  /** The database holds every event up to `seq`. */
  | { readonly type: 'stored'; readonly seq: number }
  /** The job could not start; nothing of it is stored. */
  | { readonly type: 'refused'; readonly error: WireError }
