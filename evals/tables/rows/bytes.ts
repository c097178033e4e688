/** @file A file's bytes piece by piece, and its lines with the byte at which each begins. */
import { isUtf8 } from 'node:buffer'
import { createHash } from 'node:crypto'
import { createReadStream } from 'node:fs'
import { isUtf16, unreadable } from '../text.ts'
import { LONGEST_ROW } from './row-file.ts'

const PIECE = 2 ** 20
const LINE_END = 0x0a
const BYTE_ORDER_MARK = '\uFEFF'

/** sha256 of the file, in hexadecimal. */
export async function digestOfBytes(path: string): Promise<string> {
  const hash = createHash('sha256')
  for await (const piece of createReadStream(path, { highWaterMark: PIECE }))
    hash.update(piece as Buffer)
  return hash.digest('hex')
}

/** From byte `start` on. UTF-16 and bytes that are no text are refused. */
export async function* piecesOf(path: string, start = 0): AsyncGenerator<Buffer> {
  let at = start
  try {
    for await (const each of createReadStream(path, { start, highWaterMark: PIECE })) {
      const piece = each as Buffer
      if (at === 0 && isUtf16(piece)) throw unreadable(path, 'UTF-16 text')
      if (piece.includes(0)) throw unreadable(path, 'bytes that are no text')
      at += piece.length
      yield piece
    }
  } catch (error) {
    const { code, message } = error as NodeJS.ErrnoException
    throw error instanceof Error && 'remedy' in error
      ? error
      : unreadable(path, code ?? message, error)
  }
}

interface Line {
  readonly text: string
  /** The byte at which it begins. */
  readonly place: number
}

/** Lines without their ends, and without a byte order mark before the first. */
export async function* linesOf(path: string, start = 0): AsyncGenerator<Line> {
  let carried: Buffer[] = []
  let carriedBytes = 0
  let place = start
  const take = (last: Buffer): Line => {
    const bytes = carried.length === 0 ? last : Buffer.concat([...carried, last])
    const line = { text: textOf(bytes, path, place), place }
    ;[carried, carriedBytes] = [[], 0]
    place += bytes.length + 1
    return line
  }
  for await (const piece of piecesOf(path, start)) {
    let from = 0
    for (let end = piece.indexOf(LINE_END); end !== -1; end = piece.indexOf(LINE_END, from)) {
      yield take(piece.subarray(from, end))
      from = end + 1
    }
    if (from === piece.length) continue
    carried.push(piece.subarray(from))
    carriedBytes += piece.length - from
    refuseLongRow(carriedBytes, path, place)
  }
  if (carriedBytes > 0) yield take(Buffer.alloc(0))
}

export function refuseLongRow(bytes: number, path: string, place: number): void {
  if (bytes <= LONGEST_ROW) return
  throw unreadable(path, `a row of more than ${LONGEST_ROW} bytes that begins at byte ${place}`)
}

/** Strictly UTF-8: a row with a replaced character would be another row. */
export function textOf(bytes: Buffer, path: string, place: number): string {
  if (!isUtf8(bytes)) throw unreadable(path, `bytes that are not UTF-8, after byte ${place}`)
  const text = bytes.toString('utf8')
  return place === 0 && text.startsWith(BYTE_ORDER_MARK) ? text.slice(1) : text
}
