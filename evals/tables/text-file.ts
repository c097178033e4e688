/** @file A plain text on the user's disk, read piece by piece: strict UTF-8, a byte order mark left out, words and bytes counted. */
import { createHash } from 'node:crypto'
import { basename } from 'node:path'
import { bytesFit } from './file-size.ts'
import { utf8Pieces } from '../files/text.ts'
import { piecesOf } from './rows/bytes.ts'
import { unreadable } from './text.ts'

export interface TextFile {
  readonly path: string
  /** Of the file, its byte order mark included. */
  readonly bytes: number
  /** sha256 of the file, in hexadecimal. */
  readonly digest: string
  /** Of the text that is scored, in UTF-8. */
  readonly textBytes: number
  /** As Python counts them: runs of white space, and one. */
  readonly words: number
}

/** `perplexity-NOTES` for `Notes.txt`. */
export const textName = (path: string): string => {
  const stem = basename(path)
    .replace(/\.\w+$/, '')
    .toLowerCase()
  return `perplexity-${stem.replaceAll(/[^a-z0-9]+/g, '-').replaceAll(/^-|-$/g, '') || 'text'}`
}

/** What Python’s `\s` matches in text. */
const SPACES = /[\t-\r\u001c-\u0020\u0085\u00a0\u1680\u2000-\u200a\u2028\u2029\u202f\u205f\u3000]+/g
const ENDS_IN_SPACE = new RegExp(`${SPACES.source}$`)
const BEGINS_WITH_SPACE = new RegExp(`^${SPACES.source}`)

/** Reads the file once and keeps nothing of it. */
export async function describeText(path: string): Promise<TextFile> {
  const hash = createHash('sha256')
  let [bytes, textBytes, words, inSpace] = [0, 0, 1, false]
  const seen = (chunk: Uint8Array) => {
    hash.update(chunk)
    bytes += chunk.length
  }
  for await (const text of textPieces(path, seen)) {
    textBytes += Buffer.byteLength(text)
    words += text.match(SPACES)?.length ?? 0
    if (inSpace && BEGINS_WITH_SPACE.test(text)) words--
    inSpace = ENDS_IN_SPACE.test(text)
  }
  if (textBytes === 0) throw unreadable(path, 'an empty file')
  return { path, bytes, digest: hash.digest('hex'), textBytes, words }
}

/** The text in order. Unlike rows of a table, a text with broken characters is refused: it would be another text. */
export async function* textPieces(
  path: string,
  onBytes: (chunk: Uint8Array) => void = () => {},
): AsyncGenerator<string> {
  await bytesFit(path)
  const refuse = (found: string, cause?: unknown) => unreadable(path, found, cause)
  for await (const { bytes, text } of utf8Pieces(piecesOf(path), refuse)) {
    onBytes(bytes)
    if (text !== '') yield text
  }
}
