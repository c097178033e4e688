/** @file Messages between a coordinator and its workers; results are files. */

export type ToWorker =
  { readonly type: 'run'; readonly position: number } | { readonly type: 'stop' }

/** The result file of the cell exists. */
export interface FromWorker {
  readonly type: 'settled'
  readonly position: number
}
