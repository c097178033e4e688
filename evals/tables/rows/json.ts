/** @file Rows of JSON Lines, and of a JSON array: its elements are cut out by their brackets, so that it is never in memory whole. */
import { unreadable } from '../text.ts'
import { rowOf } from '../json.ts'
import { linesOf, piecesOf, refuseLongRow, textOf } from './bytes.ts'
import type { PlacedRow } from './row-file.ts'

export async function* jsonLines(path: string, start: number): AsyncGenerator<PlacedRow> {
  for await (const { text, place } of linesOf(path, start)) {
    if (text.trim() === '') continue
    yield { row: rowOf(text, path, ` at byte ${place}`), place }
  }
}

/** The elements of an array of objects. */
export async function* jsonArray(path: string, start: number): AsyncGenerator<PlacedRow> {
  const cutter = createCutter(path, start)
  for await (const piece of piecesOf(path, start)) {
    for (const { bytes, place } of cutter.cut(piece))
      yield { row: rowOf(textOf(bytes, path, place), path, ` at byte ${place}`), place }
  }
  cutter.end()
}

interface Element {
  readonly bytes: Buffer
  readonly place: number
}

const [QUOTE, BACKSLASH, COMMA] = [0x22, 0x5c, 0x2c]
const [OPEN, CLOSE, OPEN_ARRAY, CLOSE_ARRAY] = [0x7b, 0x7d, 0x5b, 0x5d]
const BYTE_ORDER_MARK = [0xef, 0xbb, 0xbf]

/** What stands between elements: before the array, where an element must or may follow, after one, after the array. */
type Between = 'array' | 'element' | 'first' | 'comma' | 'nothing'

/** Cuts pieces of an array's text, in order, into its elements. A place told earlier is that of an element. */
function createCutter(path: string, start: number) {
  let between: Between = start === 0 ? 'array' : 'element'
  let offset = start
  let place = -1
  let depth = 0
  let inString = false
  let escaped = false
  let carried: Buffer[] = []
  let carriedBytes = 0

  /** Reads what stands between elements up to the beginning of one; −1 where this piece has none. */
  function findBeginning(piece: Buffer, from: number): number {
    for (let i = from; i < piece.length; i++) {
      const byte = piece[i]!
      if (byte === 0x20 || (byte >= 0x09 && byte <= 0x0d)) continue
      if (byte === BYTE_ORDER_MARK[offset + i]) continue
      if (byte === OPEN && (between === 'element' || between === 'first')) return i
      between = next(between, byte, offset + i)
    }
    return -1
  }

  function next(from: Between, byte: number, at: number): Between {
    if (from === 'array' && byte === OPEN_ARRAY) return 'first'
    if (from === 'comma' && byte === COMMA) return 'element'
    if ((from === 'comma' || from === 'first') && byte === CLOSE_ARRAY) return 'nothing'
    throw unreadable(path, `JSON that is no array of objects, at byte ${at}`)
  }

  /** One past the closing bracket; −1 where the element goes on beyond this piece. */
  function findEnd(piece: Buffer, from: number): number {
    for (let i = from; i < piece.length; i++) {
      const byte = piece[i]!
      if (inString) {
        if (escaped) escaped = false
        else if (byte === BACKSLASH) escaped = true
        else if (byte === QUOTE) inString = false
      } else if (byte === QUOTE) inString = true
      else if (byte === OPEN || byte === OPEN_ARRAY) depth++
      else if ((byte === CLOSE || byte === CLOSE_ARRAY) && --depth === 0) return i + 1
    }
    return -1
  }

  return {
    *cut(piece: Buffer): Generator<Element> {
      let from = 0
      while (from < piece.length) {
        if (place === -1) {
          from = findBeginning(piece, from)
          if (from === -1) break
          place = offset + from
        }
        const end = findEnd(piece, from)
        const part = piece.subarray(from, end === -1 ? piece.length : end)
        carried.push(part)
        carriedBytes += part.length
        refuseLongRow(carriedBytes, path, place)
        if (end === -1) break
        yield { bytes: Buffer.concat(carried), place }
        ;[carried, carriedBytes, place, between, from] = [[], 0, -1, 'comma', end]
      }
      offset += piece.length
    },
    end() {
      if (between !== 'nothing') throw unreadable(path, 'a JSON array that does not end')
    },
  }
}
