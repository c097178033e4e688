/** @file Rows of a Parquet file, one row group in memory at a time. A row's place is its number from 0. */
import { open, type FileHandle } from 'node:fs/promises'
import { parquetMetadataAsync, parquetReadObjects, type AsyncBuffer } from 'hyparquet'
import { describeParquetError, plainRow } from '../parquet.ts'
import { unreadable } from '../text.ts'
import type { PlacedRow } from './row-file.ts'

/** Of a row group's bytes before compression: as objects they take several times as much. */
const LARGEST_GROUP = 256 * 2 ** 20

export async function* parquetRows(path: string, start: number): AsyncGenerator<PlacedRow> {
  const handle = await open(path).catch((error: NodeJS.ErrnoException) => {
    throw unreadable(path, error.code ?? error.message, error)
  })
  try {
    const file = await bufferOf(handle)
    const metadata = await parquetMetadataAsync(file)
    let first = 0
    for (const { num_rows: count, total_byte_size: size } of metadata.row_groups) {
      const [rowStart, rowEnd] = [first, first + Number(count)]
      first = rowEnd
      if (rowEnd <= start) continue
      if (Number(size) > LARGEST_GROUP) {
        const found = `a row group of ${size} bytes, above ${LARGEST_GROUP}; write the file with smaller row groups, or as JSON Lines`
        throw unreadable(path, found)
      }
      const rows = await parquetReadObjects({ file, metadata, rowStart, rowEnd })
      for (let i = Math.max(0, start - rowStart); i < rows.length; i++)
        yield { row: plainRow(rows[i]!), place: rowStart + i }
    }
  } catch (error) {
    if (error instanceof Error && 'remedy' in error) throw error
    throw unreadable(path, describeParquetError(error), error)
  } finally {
    await handle.close()
  }
}

async function bufferOf(handle: FileHandle): Promise<AsyncBuffer> {
  const { size } = await handle.stat()
  return {
    byteLength: size,
    async slice(start, end = size) {
      const bytes = new Uint8Array(Math.max(0, Math.min(end, size) - start))
      const { bytesRead } = await handle.read(bytes, 0, bytes.length, start)
      if (bytesRead < bytes.length) throw new Error('the file ends early')
      return bytes.buffer
    },
  }
}
