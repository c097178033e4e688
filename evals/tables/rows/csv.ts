/** @file Rows of a CSV file, its first record naming the columns. */
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { CSV_FORM, describeCsvError } from '../csv.ts'
import { unreadable } from '../text.ts'
import { piecesOf } from './bytes.ts'
import type { PlacedRow } from './row-file.ts'

interface Parsed {
  readonly record: readonly string[]
  /** Bytes of the text that the parser has taken, this record's end included. */
  readonly info: { readonly bytes: number }
}

export async function* csvRows(path: string, start: number): AsyncGenerator<PlacedRow> {
  let columns: readonly string[] | undefined
  if (start > 0) {
    for await (const { record } of recordsOf(path, 0)) {
      columns = columnsOf(record, path)
      break
    }
  }
  let place = start
  for await (const { record, info } of recordsOf(path, start)) {
    if (columns) {
      yield { row: Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ''])), place }
    } else columns = columnsOf(record, path)
    place = start + info.bytes
  }
}

function columnsOf(record: readonly string[], path: string): readonly string[] {
  const columns = record.map((name) => name.trim())
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) < i)
  if (twice !== undefined) throw unreadable(path, `two columns named "${twice}"`)
  return columns
}

async function* recordsOf(path: string, start: number): AsyncGenerator<Parsed> {
  const parser = parse({ ...CSV_FORM, info: true })
  const source = Readable.from(strictText(path, start))
  source.on('error', (error) => parser.destroy(error))
  try {
    for await (const parsed of source.pipe(parser)) yield parsed as Parsed
  } catch (error) {
    if (error instanceof CsvError) throw unreadable(path, describeCsvError(error), error)
    throw error
  } finally {
    source.destroy()
  }
}

/** The file's bytes as they are, once they are known to be UTF-8. */
async function* strictText(path: string, start: number): AsyncGenerator<Buffer> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let done = start
  const check = (piece?: Buffer) => {
    try {
      decoder.decode(piece, { stream: piece !== undefined })
    } catch (error) {
      throw unreadable(path, `bytes that are not UTF-8, after byte ${done}`, error)
    }
  }
  for await (const piece of piecesOf(path, start)) {
    check(piece)
    done += piece.length
    yield piece
  }
  check()
}
