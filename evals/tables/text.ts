/** @file Text of a published benchmark file, a few broken bytes tolerated; the error of files that cannot be read as rows. */
import { TouchstoneError } from '../errors/touchstone-error.ts'

interface DecodedText {
  readonly text: string
  readonly replaced: number
}

/** A larger share of broken characters means another encoding. */
const MOST_REPLACED = 0.02

/**
 * Published copies of some benchmark files hold a few bytes that are not UTF-8. They are decoded with U+FFFD and
 * counted; a file of another encoding is refused.
 */
export function decodeLossily(bytes: Uint8Array, path: string): DecodedText {
  if (isUtf16(bytes)) throw unreadable(path, 'UTF-16 text')
  const text = new TextDecoder('utf-8').decode(bytes)
  if (text.includes('\u0000')) throw unreadable(path, 'bytes that are no text')
  const replaced = text.match(/\uFFFD/g)?.length ?? 0
  if (replaced > MOST_REPLACED * text.length) {
    throw unreadable(path, `${replaced} characters that are not UTF-8`)
  }
  return { text, replaced }
}

export const isUtf16 = ([first, second]: Uint8Array): boolean =>
  (first === 0xff && second === 0xfe) || (first === 0xfe && second === 0xff)

export const unreadable = (path: string, found: string, cause?: unknown) =>
  new TouchstoneError(
    'benchmark.unreadable',
    { path, found },
    cause === undefined ? undefined : { cause },
  )
