/** @file CSV (RFC 4180): fields with commas, quotes or line ends are quoted, quotes doubled, lines end in CR LF. */
import { malformedLog } from './foreign-json.ts'

export type Cell = string | number | null

const NEEDS_QUOTES = /[",\r\n]/

const cellText = (cell: Cell): string => {
  const text = cell === null ? '' : String(cell)
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text
}

export const csvLine = (cells: readonly Cell[]): string => `${cells.map(cellText).join(',')}\r\n`

/** Records of `chunks`, one in memory at a time; a quote that never ends is refused at `longest` characters. */
export async function* csvRecords(
  chunks: AsyncIterable<string>,
  path: string,
  longest = 2 ** 24,
): AsyncGenerator<string[]> {
  let record: string[] = []
  let field = ''
  let isQuoted = false
  let wasQuote = false
  let length = 0
  for await (const chunk of chunks) {
    for (const character of chunk) {
      if (++length > longest) throw malformedLog(path, 'an endless record', 'quotes that close')
      if (isQuoted && !wasQuote) {
        if (character === '"') wasQuote = true
        else field += character
      } else if (character === '"') {
        if (wasQuote) field += character
        else if (field !== '') throw malformedLog(path, 'a quote inside a field', 'doubled quotes')
        isQuoted = true
        wasQuote = false
      } else if (character === ',' || character === '\n') {
        record.push(character === '\n' && !isQuoted ? field.replace(/\r$/, '') : field)
        field = ''
        isQuoted = wasQuote = false
        if (character === '\n') {
          yield record
          record = []
          length = 0
        }
      } else if (!wasQuote) field += character
      else if (character !== '\r')
        throw malformedLog(path, 'text after a quote', 'a comma or a line end')
    }
  }
  if (isQuoted && !wasQuote) throw malformedLog(path, 'a quote that never ends', 'a whole record')
  if (field !== '' || record.length > 0) yield [...record, field]
}
