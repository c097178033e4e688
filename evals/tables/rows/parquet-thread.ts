/**
 * @file Decodes one Parquet file in a thread of its own, where it can be stopped: a damaged page can send its reader round for
 * ever, or make it write values without end. Answers each number of a row, from 0, with some rows from there on.
 */
import { open } from 'node:fs/promises'
import { parentPort, workerData } from 'node:worker_threads'
import { parquetMetadataAsync, parquetReadObjects } from 'hyparquet'
import type { Row } from '../table.ts'
import { bufferOf } from './parquet-buffer.ts'

/** Rows of one group, none beyond the last; or why there are none. */
export type ParquetAnswer = { readonly rows: readonly Row[] } | { readonly why: string }

/** Handed over at once. */
const BATCH = 4096

async function createReader(path: string) {
  const file = await bufferOf(await open(path))
  const metadata = await parquetMetadataAsync(file)
  let group: { start: number; end: number; rows: readonly Record<string, unknown>[] } | undefined
  return async (from: number): Promise<ParquetAnswer> => {
    if (!group || from < group.start || from >= group.end) group = await groupAt(from)
    const { start, rows } = group
    return { rows: rows.slice(from - start, from - start + BATCH).map(plainRow) }
  }

  async function groupAt(from: number) {
    let end = 0
    for (const { num_rows: count } of metadata.row_groups) {
      const start = end
      end += Number(count)
      if (from >= end) continue
      const rows = await parquetReadObjects({ file, metadata, rowStart: start, rowEnd: end })
      if (rows.length !== end - start) throw new Error('fewer rows than the group declares')
      return { start, end, rows }
    }
    return { start: from, end: from, rows: [] }
  }
}

const plainRow = (row: Record<string, unknown>): Row =>
  Object.fromEntries(Object.entries(row).map(([name, value]) => [name, plain(value)]))

/** Parquet's 64-bit integers are row numbers and answers here, far below 2^53. */
function plain(value: unknown): unknown {
  if (typeof value === 'bigint') return Number(value)
  return Array.isArray(value) ? value.map(plain) : value
}

const reader = createReader(workerData as string)
// Whoever asks hears of it.
reader.catch(() => undefined)
parentPort!.on('message', (from: number) => {
  void reader
    .then((read) => read(from))
    .catch((error: unknown) => ({ why: String(error) }))
    .then((answer: ParquetAnswer) => parentPort!.postMessage(answer))
})
