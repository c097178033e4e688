/** @file Reads a file of rows from the user's disk, whatever its format. */
import { createHash } from 'node:crypto'
import { readFile } from 'node:fs/promises'
import { readCsv } from './csv.ts'
import { bytesFit } from './file-size.ts'
import { readJson, readJsonLines } from './json.ts'
import { parquetRows } from './rows/parquet.ts'
import { columnsOf, type Row, type Table } from './table.ts'
import { unreadable } from './text.ts'

export interface ReadTable extends Table {
  readonly path: string
  readonly bytes: number
  /** sha256 of the file, in hexadecimal. */
  readonly digest: string
}

const PARQUET_MAGIC = 'PAR1'

export async function readTable(path: string): Promise<ReadTable> {
  const bytes = await bytesOf(path)
  const digest = createHash('sha256').update(bytes).digest('hex')
  return { ...(await parse(bytes, path)), path, bytes: bytes.length, digest }
}

async function bytesOf(path: string): Promise<Buffer> {
  await bytesFit(path)
  return readFile(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error.code ?? error.message, error)
  })
}

/** By its first bytes where the name does not say. */
async function parse(bytes: Buffer, path: string): Promise<Table> {
  if (bytes.length === 0) throw unreadable(path, 'an empty file')
  if (bytes.toString('latin1', 0, 4) === PARQUET_MAGIC || path.endsWith('.parquet')) {
    return readParquet(path)
  }
  if (/\.(jsonl|ndjson)$/i.test(path)) return readJsonLines(bytes, path)
  if (/\.json$/i.test(path)) {
    // Some publish JSON Lines under this name: several objects, one a line.
    return /^\s*\{.*\}\s*\n\s*\{/.test(bytes.toString('latin1', 0, 2 ** 16))
      ? readJsonLines(bytes, path)
      : readJson(bytes, path)
  }
  if (/\.csv$/i.test(path)) return readCsv(bytes, path)
  throw unreadable(path, 'a name that ends in none of .csv, .json, .jsonl, .parquet')
}

async function readParquet(path: string): Promise<Table> {
  const rows: Row[] = []
  for await (const { row } of parquetRows(path, 0)) rows.push(row)
  if (rows.length === 0) throw unreadable(path, 'no rows')
  return { format: 'parquet', columns: columnsOf(rows), rows, replaced: 0 }
}
