/** @file A column of a long table. */

export interface GridColumn<R> {
  readonly head: string
  /** As CSS grid says it: `6rem`, `minmax(10rem, 1fr)`. */
  readonly width: string
  readonly isNumber?: boolean
  readonly text: (row: R) => string
}
