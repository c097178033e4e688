/** @file Rows of a task from a file of the user's: named columns, each cell read or refused with its row. */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { readTable } from '../../tables/read-table.ts'
import type { Table } from '../../tables/table.ts'
import { unreadable } from '../../tables/text.ts'
import { randomStream } from '../../statistics/random.ts'
import type { TaskRow } from './task.ts'

type Cells<K extends string> = Readonly<Record<K, string>>

/** Rows with these columns, cells as text; `row` counts from 1. */
export async function readCells<K extends string>(
  path: string,
  columns: readonly K[],
): Promise<readonly { readonly row: number; readonly cells: Cells<K> }[]> {
  const table = await readNamed(path)
  const missing = columns.filter((column) => !table.columns.includes(column))
  if (missing.length > 0)
    throw new TouchstoneError('task.columns', { path, missing, columns: table.columns })
  return table.rows.map((row, i) => ({
    row: i + 1,
    cells: Object.fromEntries(columns.map((column) => [column, textOf(row[column])])) as Cells<K>,
  }))
}

/** A table whose columns have names. */
export async function readNamed(path: string): Promise<Table> {
  const table = await readTable(path)
  if (table.columns.some((name) => name.trim() !== '')) return table
  throw unreadable(path, 'nothing but blanks')
}

const textOf = (value: unknown): string => {
  if (typeof value === 'string') return value.trim()
  return typeof value === 'number' || typeof value === 'boolean' ? String(value) : ''
}

/** Share of the clusters that a fine-tune learns from; the others are held out. */
const LEARNT = 0.8

/** Rows to learn and rows held out, whole clusters each; throws where a side would be empty. */
export function split(
  path: string,
  rows: readonly TaskRow[],
  seed: number,
): { readonly learnt: readonly TaskRow[]; readonly heldOut: readonly TaskRow[] } {
  const clusters = [...new Set(rows.map(({ cluster }) => cluster))]
  if (clusters.length < 2)
    throw new TouchstoneError('task.rows', { path, clusters: clusters.length })
  const order = randomStream(seed, 'task:split').shuffle(clusters)
  const learning = new Set(
    order.slice(0, Math.min(clusters.length - 1, Math.ceil(LEARNT * clusters.length))),
  )
  return {
    learnt: rows.filter(({ cluster }) => learning.has(cluster)),
    heldOut: rows.filter(({ cluster }) => !learning.has(cluster)),
  }
}
