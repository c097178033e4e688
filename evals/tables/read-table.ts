/** @file Reads a file of rows from the user's disk, whatever its format. */
import { readFile } from 'node:fs/promises'
import { sha256 } from '../files/digest.ts'
import { readCsv } from './csv-table.ts'
import { bytesFit, formatOf, refuseAccess } from './file-size.ts'
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

export async function readTable(path: string): Promise<ReadTable> {
  await bytesFit(path)
  const bytes = await readFile(path).catch(refuseAccess(path))
  return { ...(await parse(bytes, path)), path, bytes: bytes.length, digest: sha256(bytes) }
}

function parse(bytes: Buffer, path: string): Table | Promise<Table> {
  switch (formatOf(path, bytes)) {
    case 'parquet':
      return readParquet(path)
    case 'jsonl':
      return readJsonLines(bytes, path)
    case 'json':
      return readJson(bytes, path)
    case 'csv':
      return readCsv(bytes, path)
    default:
      throw unreadable(path, 'a name that ends in none of .csv, .json, .jsonl, .parquet')
  }
}

async function readParquet(path: string): Promise<Table> {
  const rows: Row[] = []
  for await (const { row } of parquetRows(path, 0)) rows.push(row)
  if (rows.length === 0) throw unreadable(path, 'no rows')
  return { format: 'parquet', columns: columnsOf(rows), rows, replaced: 0 }
}
