/** @file A CSV file as a table: the first record names the columns. */
import { csvRecordsOf } from './csv.ts'
import type { Row, Table } from './table.ts'
import { decodeLossily, unreadable } from './text.ts'

/** The columns of MMLU's own files, which have no first record of names. */
const UNNAMED_CHOICES = ['question', 'A', 'B', 'C', 'D', 'answer'] as const

export function readCsv(bytes: Uint8Array, path: string): Table {
  const { text, replaced } = decodeLossily(bytes, path)
  const records = csvRecordsOf(text, (found, cause) => unreadable(path, found, cause))
  const [first] = records
  if (!first) throw unreadable(path, 'no records')
  const columns = isUnnamed(first) ? [...UNNAMED_CHOICES] : columnNames(first, path)
  const values = isUnnamed(first) ? records : records.slice(1)
  return { format: 'csv', columns, rows: values.map((record) => rowOf(columns, record)), replaced }
}

/** Wider tables hold features of something else, and cost minutes. */
const MOST_COLUMNS = 4096

/** No column is named by one letter of an answer. */
const isUnnamed = (record: readonly string[]) =>
  record.length === UNNAMED_CHOICES.length && /^[ABCD]$/.test(record.at(-1)!)

export function columnNames(record: readonly string[], path: string): string[] {
  if (record.length > MOST_COLUMNS)
    throw unreadable(path, `${record.length} columns, where at most ${MOST_COLUMNS} are read`)
  const columns = record.map((name) => name.trim())
  const seen = new Set<string>()
  const twice = columns.find((name) => name !== '' && seen.size === seen.add(name).size)
  if (twice !== undefined) throw unreadable(path, `two columns named "${twice}"`)
  return columns
}

export const rowOf = (columns: readonly string[], record: readonly string[]): Row =>
  Object.fromEntries(columns.map((name, i) => [name, record[i] ?? '']))
