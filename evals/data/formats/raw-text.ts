/** @file Plain text, one piece a row: no template stands around it, and all of it is learnt. */
import { TEXT_COLUMN } from '../../tables/rows/text.ts'
import type { DataFormat } from '../format.ts'

/** @param column where it has another name */
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
