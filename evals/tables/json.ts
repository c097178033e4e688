/** @file Reads JSON Lines, a JSON array of objects, and a JSON object of prompts by category. */
import { BY_CATEGORY, columnsOf, type Row, type Table } from './table.ts'
import { decodeLossily, unreadable } from './text.ts'

export function readJsonLines(bytes: Uint8Array, path: string): Table {
  const { text, replaced } = decodeLossily(bytes, path)
  const rows: Row[] = []
  text.split('\n').forEach((line, index) => {
    if (line.trim() === '') return
    rows.push(rowOf(line, path, ` in line ${index + 1}`))
  })
  if (rows.length === 0) throw unreadable(path, 'no rows')
  return { format: 'jsonl', columns: columnsOf(rows), rows, replaced }
}

export function readJson(bytes: Uint8Array, path: string): Table {
  const { text, replaced } = decodeLossily(bytes, path)
  const value = parseJson(text, path, '')
  const rows = Array.isArray(value) ? value : byCategory(value)
  if (!rows?.every(isRow))
    throw unreadable(path, 'JSON that is neither rows nor prompts by category')
  if (rows.length === 0) throw unreadable(path, 'no rows')
  return { format: 'json', columns: columnsOf(rows), rows, replaced }
}

function byCategory(value: unknown): Row[] | undefined {
  if (!isRow(value)) return undefined
  const rows: Row[] = []
  for (const [category, prompts] of Object.entries(value)) {
    if (!Array.isArray(prompts)) return undefined
    prompts.forEach((prompt: unknown) =>
      rows.push({ [BY_CATEGORY[0]]: category, [BY_CATEGORY[1]]: prompt }),
    )
  }
  return rows
}

const isRow = (value: unknown): value is Row =>
  typeof value === 'object' && value !== null && !Array.isArray(value)

/** One object; `where` follows what is said of another text. */
export function rowOf(text: string, path: string, where: string): Row {
  const value = parseJson(text, path, where)
  if (isRow(value)) return value
  throw unreadable(path, `something other than an object${where}`)
}

/** The parser's message quotes the text, which must not be printed. */
function parseJson(text: string, path: string, where: string): unknown {
  try {
    return JSON.parse(text) as unknown
  } catch (error) {
    throw unreadable(path, `text that is not JSON${where}`, error)
  }
}
