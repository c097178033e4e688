/** @file Reads CSV after RFC 4180: quoted fields hold commas, quotes and line ends; CRLF or LF; the first record names the columns. */
import { CsvError, parse } from 'csv-parse/sync'
import type { Row, Table } from './table.ts'
import { decodeText, unreadable } from './text.ts'

/** Longer fields are a quote that was never closed. */
const LONGEST_RECORD = 16 * 2 ** 20
export const CSV_FORM = {
  bom: true,
  skip_empty_lines: true,
  max_record_size: LONGEST_RECORD,
  record_delimiter: ['\r\n', '\n', '\r'],
}
/** The columns of MMLU's own files, which have no first record of names. */
const UNNAMED_CHOICES = ['question', 'A', 'B', 'C', 'D', 'answer'] as const

export function readCsv(bytes: Uint8Array, path: string): Table {
  const { text, replaced } = decodeText(bytes, path)
  const records = recordsOf(text, path)
  const [first] = records
  if (!first) throw unreadable(path, 'no records')
  const columns = isUnnamed(first) ? [...UNNAMED_CHOICES] : first.map((name) => name.trim())
  const twice = columns.find((name, i) => name !== '' && columns.indexOf(name) < i)
  if (twice !== undefined) throw unreadable(path, `two columns named "${twice}"`)
  const values = isUnnamed(first) ? records : records.slice(1)
  const rows = values.map((record): Row =>
    Object.fromEntries(columns.map((name, i) => [name, record[i] ?? ''])),
  )
  return { format: 'csv', columns, rows, replaced }
}

/** No column is named by one letter of an answer. */
const isUnnamed = (record: readonly string[]) =>
  record.length === UNNAMED_CHOICES.length && /^[ABCD]$/.test(record.at(-1)!)

function recordsOf(text: string, path: string): string[][] {
  try {
    return parse(text, CSV_FORM)
  } catch (error) {
    if (error instanceof CsvError) throw unreadable(path, describeCsvError(error), error)
    throw error
  }
}

/** The library's words may quote the record, which is not ours to print. */
export function describeCsvError({ code, lines }: CsvError & { lines?: unknown }): string {
  const at = typeof lines === 'number' ? ` at line ${lines}` : ''
  if (code === 'CSV_QUOTE_NOT_CLOSED') return `a quoted field that never ends${at}`
  if (code.startsWith('CSV_RECORD_INCONSISTENT')) {
    return `a record with more or fewer fields than the first${at}`
  }
  if (code === 'CSV_MAX_RECORD_SIZE') return `a record of more than ${LONGEST_RECORD} bytes${at}`
  return `a record that is not CSV${at}`
}
