/** @file The lines of a stream of bytes, one in memory at a time. */

const LINE_END = 0x0a

interface ByteLine {
  /** Without the line end. */
  readonly bytes: Buffer
  /** The byte at which it begins. */
  readonly place: number
}

/** `refuseLong` is called with the bytes of a line that has no end yet, and throws where there are too many. */
export async function* byteLines(
  pieces: AsyncIterable<Buffer>,
  start: number,
  refuseLong: (bytes: number, place: number) => void,
): AsyncGenerator<ByteLine> {
  let carried: Buffer[] = []
  let carriedBytes = 0
  let place = start
  const take = (last: Buffer): ByteLine => {
    const bytes = carried.length === 0 ? last : Buffer.concat([...carried, last])
    const line = { bytes, place }
    ;[carried, carriedBytes] = [[], 0]
    place += bytes.length + 1
    return line
  }
  for await (const piece of pieces) {
    let from = 0
    for (let end = piece.indexOf(LINE_END); end !== -1; end = piece.indexOf(LINE_END, from)) {
      yield take(piece.subarray(from, end))
      from = end + 1
    }
    if (from === piece.length) continue
    carried.push(piece.subarray(from))
    carriedBytes += piece.length - from
    refuseLong(carriedBytes, place)
  }
  if (carriedBytes > 0) yield take(Buffer.alloc(0))
}
