/** @file Many questions at once, their answers in the order in which they come. */

/**
 * `ask(0)` to `ask(count − 1)`, at most `most` of them at a time. The first that fails ends the others, and so does a reader that
 * stops.
 */
export async function* inOrderOfArrival<T>(
  count: number,
  most: number,
  ask: (index: number, signal: AbortSignal) => Promise<T>,
  outer: AbortSignal,
): AsyncGenerator<T> {
  const stop = new AbortController()
  const signal = AbortSignal.any([outer, stop.signal])
  const under = new Map<number, Promise<{ index: number; answer: T }>>()
  let next = 0
  const begin = () => {
    const index = next++
    under.set(
      index,
      ask(index, signal).then((answer) => ({ index, answer })),
    )
  }
  try {
    while (next < count && under.size < most) begin()
    while (under.size > 0) {
      const { index, answer } = await Promise.race(under.values())
      under.delete(index)
      if (next < count) begin()
      yield answer
    }
  } finally {
    stop.abort()
    await Promise.allSettled(under.values())
  }
}
