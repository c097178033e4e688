/** @file CSV after RFC 4180: quoted fields hold commas, quotes and line ends; written with CR LF, read with CR LF, LF or CR. */
import { Readable } from 'node:stream'
import { CsvError, parse } from 'csv-parse'
import { parse as parseText } from 'csv-parse/sync'
import type { Refuse } from '../files/text.ts'

/** A longer record is a quote that was never closed. */
const LONGEST_RECORD = 16 * 2 ** 20
const FORM = {
  bom: true,
  skip_empty_lines: true,
  max_record_size: LONGEST_RECORD,
  record_delimiter: ['\r\n', '\n', '\r'],
}

export type Cell = string | number | null

const NEEDS_QUOTES = /[",\r\n]/

/** What a spreadsheet would compute begins so (OWASP, CSV injection); apostrophes before it are counted, so that it is read back. */
const FORMULA = /^'*[=+\-@\t\r]/u

/** A text as it was before `csvLine` guarded it. */
export const unguarded = (text: string): string =>
  text.startsWith("'") && FORMULA.test(text) ? text.slice(1) : text

const cellText = (cell: Cell): string => {
  const plain = cell === null ? '' : String(cell)
  const text = typeof cell === 'string' && FORMULA.test(plain) ? `'${plain}` : plain
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

/** Texts that a spreadsheet would take for formulas begin with an apostrophe; numbers stay numbers. */
export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`

/** All records of a text; each has as many fields as the first. */
export function csvRecordsOf(text: string, refuse: Refuse): string[][] {
  try {
    return parseText(text, FORM)
  } catch (error) {
    throw error instanceof CsvError ? refuse(describeError(error), error) : error
  }
}

interface PlacedRecord {
  readonly record: string[]
  /** Bytes from the beginning to the end of this record. */
  readonly info: { readonly bytes: number }
}

/** Records of a file in UTF-8, one in memory at a time. */
export async function* csvRecords(
  pieces: AsyncIterable<Uint8Array>,
  refuse: Refuse,
): AsyncGenerator<PlacedRecord> {
  const parser = parse({ ...FORM, info: true })
  const source = Readable.from(pieces)
  source.on('error', (error) => parser.destroy(error))
  try {
    for await (const placed of source.pipe(parser)) yield placed as PlacedRecord
  } catch (error) {
    throw error instanceof CsvError ? refuse(describeError(error), error) : error
  } finally {
    source.destroy()
  }
}

/** The library's message may quote the record, which must not be printed. */
function describeError({ code, lines }: CsvError & { lines?: unknown }): string {
  const at = typeof lines === 'number' ? ` at line ${lines}` : ''
  if (code === 'CSV_QUOTE_NOT_CLOSED') return `a quoted field that never ends${at}`
  if (code.startsWith('CSV_RECORD_INCONSISTENT')) {
    return `a record with more or fewer fields than the first${at}`
  }
  if (code === 'CSV_MAX_RECORD_SIZE') return `a record of more than ${LONGEST_RECORD} bytes${at}`
  return `a record that is not CSV${at}`
}
