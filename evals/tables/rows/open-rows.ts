/** @file Opens a file of rows of any kind and any size: only its first rows are read until more are asked for. */
import { open, stat } from 'node:fs/promises'
import { columnsOf, type Row } from '../table.ts'
import { unreadable } from '../text.ts'
import { csvRows } from './csv.ts'
import { jsonArray, jsonLines } from './json.ts'
import { parquetRows } from './parquet.ts'
import type { RowFile, RowReader } from './row-file.ts'
import { textRows } from './text.ts'

/** Rows whose columns are the file's. */
const LOOKED_AT = 1000
const BEGINNING = 2 ** 16
const PARQUET_MAGIC = 'PAR1'

export async function openRows(path: string): Promise<RowFile> {
  const { bytes, beginning } = await beginningOf(path)
  const read = readerOf(path, beginning)
  const first: Row[] = []
  for await (const { row } of read(path, 0)) if (first.push(row) === LOOKED_AT) break
  if (first.length === 0) throw unreadable(path, 'no rows')
  return { path, bytes, columns: columnsOf(first), rows: (place = 0) => read(path, place) }
}

async function beginningOf(path: string): Promise<{ bytes: number; beginning: Buffer }> {
  const refuse = (error: NodeJS.ErrnoException) => {
    const code = error.code ?? error.message
    throw unreadable(path, code === 'ENOENT' ? 'nothing at that place' : code, error)
  }
  const found = await stat(path).catch(refuse)
  if (!found.isFile()) throw unreadable(path, found.isDirectory() ? 'a folder' : 'no file')
  if (found.size === 0) throw unreadable(path, 'an empty file')
  const handle = await open(path).catch(refuse)
  try {
    const { buffer, bytesRead } = await handle.read(Buffer.alloc(BEGINNING), 0, BEGINNING, 0)
    return { bytes: found.size, beginning: buffer.subarray(0, bytesRead) }
  } finally {
    await handle.close()
  }
}

/** By its first bytes where the name does not say. */
function readerOf(path: string, beginning: Buffer): RowReader {
  const text = beginning.toString('latin1')
  if (text.startsWith(PARQUET_MAGIC) || /\.parquet$/iu.test(path)) return parquetRows
  if (/\.(jsonl|ndjson)$/iu.test(path)) return jsonLines
  // Some publish JSON Lines under this name: several objects, one a line.
  if (/\.json$/iu.test(path)) return /^\s*\{.*\}\s*\n\s*\{/u.test(text) ? jsonLines : jsonArray
  if (/\.csv$/iu.test(path)) return csvRows
  if (/\.txt$/iu.test(path)) return textRows
  throw unreadable(path, 'a name that ends in none of .csv, .json, .jsonl, .parquet, .txt')
}
