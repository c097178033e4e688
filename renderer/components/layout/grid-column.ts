/** @file A column of a long table. */

export interface GridColumn<R> {
  readonly head: string
  /** CSS grid's width: `6rem`, `minmax(10rem, 1fr)`. */
  readonly width: string
  readonly isNumber?: boolean
  readonly text: (row: R) => string
}
