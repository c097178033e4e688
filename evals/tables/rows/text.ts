/** @file Rows of a plain text: what stands between blank lines, under the column `text`. */
import { linesOf, refuseLongRow } from './bytes.ts'
import type { PlacedRow } from './row-file.ts'

export const TEXT_COLUMN = 'text'

export async function* textRows(path: string, start: number): AsyncGenerator<PlacedRow> {
  let lines: string[] = []
  let place = start
  const taken = (): PlacedRow => ({ row: { [TEXT_COLUMN]: lines.join('\n') }, place })
  let length = 0
  for await (const line of linesOf(path, start)) {
    const text = line.text.replace(/\r$/u, '')
    if (text.trim() !== '') {
      if (lines.length === 0) [place, length] = [line.place, 0]
      lines.push(text)
      length += text.length
      refuseLongRow(length, path, place)
    } else if (lines.length > 0) {
      yield taken()
      lines = []
    }
  }
  if (lines.length > 0) yield taken()
}
