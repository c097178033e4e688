/** @file Positions of the usable rows of a file, so that a page is read without reading all rows before it. */
import type { DataFile, Position } from './data-file.ts'
import type { DataRow } from './read-data.ts'

/** Usable rows between stored positions. */
const STRIDE = 256

export interface RowIndex {
  /** Called with each usable row's position, in order. */
  add(position: Position): void
  /** Usable rows `offset` … `offset + limit − 1`, counted from 0. */
  page(file: DataFile, offset: number, limit: number): Promise<DataRow[]>
}

export function createRowIndex(): RowIndex {
  const positions: Position[] = []
  let count = 0
  return {
    add(position) {
      if (count++ % STRIDE === 0) positions.push(position)
    },
    async page(file, offset, limit) {
      const rows: DataRow[] = []
      if (offset >= count || limit === 0) return rows
      let skipped = offset % STRIDE
      for await (const { row, converted } of file.rows(positions[Math.floor(offset / STRIDE)])) {
        if ('why' in converted || skipped-- > 0) continue
        if (rows.push({ row, messages: converted.messages }) === limit) break
      }
      return rows
    },
  }
}
