/** @file What a coordinator and its workers say to each other; results travel as files. */

export type ToWorker =
  { readonly type: 'run'; readonly position: number } | { readonly type: 'stop' }

/** The cell's result file is in place. */
export interface FromWorker {
  readonly type: 'settled'
  readonly position: number
}
