/** @file Opens a file of rows of any kind and any size: only its first rows are read until more are asked for. */
import { open } from 'node:fs/promises'
import { BEGINNING, bytesOfFile, formatOf, refuseAccess } from '../file-size.ts'
import { columnsOf, type Row } from '../table.ts'
import { unreadable } from '../text.ts'
import { csvRows } from './csv.ts'
import { jsonArray, jsonLines } from './json.ts'
import { parquetRows } from './parquet.ts'
import type { RowFile, RowReader } from './row-file.ts'
import { textRows } from './text.ts'

/** Rows whose columns are the file's. */
const LOOKED_AT = 1000

export async function openRows(path: string): Promise<RowFile> {
  const { bytes, beginning } = await beginningOf(path)
  const read = readerOf(path, beginning)
  const first: Row[] = []
  for await (const { row } of read(path, 0)) if (first.push(row) === LOOKED_AT) break
  if (first.length === 0) throw unreadable(path, 'no rows')
  return { path, bytes, columns: columnsOf(first), rows: (place = 0) => read(path, place) }
}

async function beginningOf(path: string): Promise<{ bytes: number; beginning: Buffer }> {
  const bytes = await bytesOfFile(path)
  const handle = await open(path).catch(refuseAccess(path))
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0)
    return { bytes, beginning: buffer.subarray(0, bytesRead) }
  } finally {
    await handle.close()
  }
}

const READERS = {
  parquet: parquetRows,
  jsonl: jsonLines,
  json: jsonArray,
  csv: csvRows,
  txt: textRows,
} as const

function readerOf(path: string, beginning: Buffer): RowReader {
  const format = formatOf(path, beginning)
  if (format) return READERS[format]
  throw unreadable(path, 'a name that ends in none of .csv, .json, .jsonl, .parquet, .txt')
}
