/** @file A file of rows that is read one row after another, from its beginning or from a place that an earlier reading has told. */
import type { Row } from '../table.ts'

/** Where reading may begin to meet a row first: a byte of the file, or for Parquet the row's own number from 0. */
export type Place = number

export interface PlacedRow {
  readonly row: Row
  readonly place: Place
}

export interface RowFile {
  readonly path: string
  readonly bytes: number
  /** Of the first rows, in the order in which they first appear. */
  readonly columns: readonly string[]
  /** The file's rows in order, from `place` on where one is given. */
  rows(place?: Place): AsyncGenerator<PlacedRow>
}

/** What a kind of file brings: the rest is the same for all. */
export type RowReader = (path: string, place: Place) => AsyncGenerator<PlacedRow>

/** More bytes than any row of text takes: what is longer is a quote or a bracket that was never closed. */
export const LONGEST_ROW = 64 * 2 ** 20
