/** @file What the engine and the process of a job say to each other. */
import type { JobKindName } from '../contract/calls/catalog.ts'
import type { WireError } from '../contract/wire-error.ts'

export interface JobRequest {
  readonly kind: JobKindName
  readonly config: unknown
  readonly isResumed: boolean
  readonly command: string
  /** Of the database. */
  readonly folder: string
}

export type ToJob = { readonly type: 'stop' }

export type FromJob =
  /** Everything up to here is in the database. */
  | { readonly type: 'stored'; readonly seq: number }
  /** It could not even begin, so nothing is stored of it. */
  | { readonly type: 'refused'; readonly error: WireError }
