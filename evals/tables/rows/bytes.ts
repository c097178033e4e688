/** @file A file's bytes piece by piece, and its lines with the byte at which each begins. */
import { isUtf8 } from 'node:buffer'
import { createReadStream } from 'node:fs'
import { isUtf16, unreadable } from '../text.ts'
import { byteLines } from '../byte-lines.ts'
import { LONGEST_ROW } from './row-file.ts'

const PIECE = 2 ** 20
const BYTE_ORDER_MARK = '\uFEFF'

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
  const refuseLong = (bytes: number, place: number) => refuseLongRow(bytes, path, place)
  for await (const { bytes, place } of byteLines(piecesOf(path, start), start, refuseLong))
    yield { text: textOf(bytes, path, place), place }
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
