/** @file Rows of a CSV file; its first record names the columns. */
import { utf8Pieces } from '../../files/text.ts'
import { csvRecords } from '../csv.ts'
import { columnNames, rowOf } from '../csv-table.ts'
import { unreadable } from '../text.ts'
import { piecesOf } from './bytes.ts'
import type { PlacedRow } from './row-file.ts'

export async function* csvRows(path: string, start: number): AsyncGenerator<PlacedRow> {
  let columns: readonly string[] | undefined
  if (start > 0) {
    for await (const { record } of recordsOf(path, 0)) {
      columns = columnNames(record, path)
      break
    }
  }
  let place = start
  for await (const { record, info } of recordsOf(path, start)) {
    if (columns) yield { row: rowOf(columns, record), place }
    else columns = columnNames(record, path)
    place = start + info.bytes
  }
}

function recordsOf(path: string, start: number) {
  const refuse = (found: string, cause?: unknown) => unreadable(path, found, cause)
  return csvRecords(checked(path, start), refuse)
}

/** The file's own bytes, checked to be UTF-8: places are counted in bytes. */
async function* checked(path: string, start: number): AsyncGenerator<Uint8Array> {
  const refuse = (found: string, cause?: unknown) => unreadable(path, found, cause)
  for await (const { bytes } of utf8Pieces(piecesOf(path, start), refuse, start))
    if (bytes.length > 0) yield bytes
}
