/** @file Raw text, one piece per row: no template is applied and every token is a label. */
import { TEXT_COLUMN } from '../../tables/rows/text.ts'
import type { DataFormat } from '../format.ts'

/** @param column its name, if not the usual one */
export const rawText = (column = TEXT_COLUMN): DataFormat => ({
  name: 'raw-text',
  title: 'Raw text',
  columns: [[column]],
  convert(row) {
    const content = row[column]
    if (typeof content !== 'string') return { why: `its ${column} is no text` }
    return { messages: [{ role: 'text', content }], notes: [] }
  },
})
