/** @file Reads Parquet files, uncompressed or with Snappy, as the Hugging Face hub stores data sets. */
import { parquetMetadata, parquetReadObjects } from 'hyparquet'
import { columnsOf, type Row, type Table } from './table.ts'
import { unreadable } from './text.ts'

export async function readParquet(bytes: Uint8Array, path: string): Promise<Table> {
  // A copy: the bytes of a pooled Buffer begin anywhere in its memory.
  const file = new Uint8Array(bytes).buffer
  try {
    const metadata = parquetMetadata(file)
    const read = await parquetReadObjects({ file, metadata })
    const rows = read.map(plainRow)
    if (rows.length === 0) throw unreadable(path, 'no rows')
    return { format: 'parquet', columns: columnsOf(rows), rows, replaced: 0 }
  } catch (error) {
    if (error instanceof Error && 'remedy' in error) throw error
    throw unreadable(path, describeParquetError(error), error)
  }
}

export function describeParquetError(error: unknown): string {
  const codec = /unsupported compression codec: (\w+)/.exec(String(error))?.[1]
  return codec ? `Parquet compressed with ${codec}` : 'a damaged Parquet file'
}

export const plainRow = (row: Row): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))

/** Parquet's 64-bit integers are row numbers and answers here, far below 2^53. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return Array.isArray(value) ? value.map(plain) : value
}
