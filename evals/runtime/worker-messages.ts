/** @file Messages between a pool and its worker processes; results are files. */

export type ToWorker =
  { readonly type: 'run'; readonly position: number } | { readonly type: 'stop' }

/** The result file of the task exists. */
export interface FromWorker {
  readonly type: 'settled'
  readonly position: number
}
