/** @file Bytes as strict UTF-8 text. The caller makes the error: each room has its own code for a file that is not text. */

export type Refuse = (found: string, cause?: unknown) => Error

const NOT_UTF8 = 'bytes that are not UTF-8'

/** A byte order mark at the beginning is left out. */
export function utf8(bytes: Uint8Array, refuse: Refuse): string {
  try {
    return new TextDecoder('utf-8', { fatal: true }).decode(bytes)
  } catch (error) {
    throw refuse(NOT_UTF8, error)
  }
}

/** Pieces in order, each with its text; a character that two pieces share belongs to the later one. */
export async function* utf8Pieces(
  pieces: AsyncIterable<Uint8Array>,
  refuse: Refuse,
  start = 0,
): AsyncGenerator<{ readonly bytes: Uint8Array; readonly text: string }> {
  const decoder = new TextDecoder('utf-8', { fatal: true })
  let done = start
  const decode = (bytes: Uint8Array, stream: boolean) => {
    try {
      return decoder.decode(bytes, { stream })
    } catch (error) {
      throw refuse(`${NOT_UTF8}, after byte ${done}`, error)
    }
  }
  for await (const bytes of pieces) {
    yield { bytes, text: decode(bytes, true) }
    done += bytes.length
  }
  const bytes = new Uint8Array()
  yield { bytes, text: decode(bytes, false) }
}
