/** @file A long text as windows for a server whose tokens are not known. */

export interface TextWindow {
  /** For errors. */
  readonly what: string
  /** Comes before it and is not scored; empty for the first. */
  readonly before: string
  readonly text: string
}

/** A token has no fewer letters on average, in any text and tokenizer but those of single letters. */
const LETTERS_PER_TOKEN = 2

/**
 * Windows of half as many tokens as `tokens`, each after the half before it. They begin at a space, which tokens seldom cross, and
 * every letter of the text is in one.
 */
export async function* textWindows(
  pieces: AsyncIterable<string>,
  tokens: number,
): AsyncGenerator<TextWindow> {
  const length = Math.max(1, Math.floor(tokens / 2)) * LETTERS_PER_TOKEN
  let [waiting, before, count] = ['', '', 0]
  const next = (at: number): TextWindow => {
    const text = waiting.slice(0, at)
    waiting = waiting.slice(at)
    const window = { what: `window ${++count} of a text`, before, text }
    before = text
    return window
  }
  for await (const piece of pieces) {
    waiting += piece
    while (waiting.length > length) yield next(cutBefore(waiting, length))
  }
  if (waiting.trim() !== '') yield next(waiting.length)
}

/** The last space up to `most`, or `most` itself, but not within a pair of surrogates. */
function cutBefore(text: string, most: number): number {
  const space = text.slice(1, most + 1).search(/\s\S*$/u) + 1
  if (space > 0) return space
  return most > 1 && /[\uD800-\uDBFF]/.test(text[most - 1]!) ? most - 1 : most
}
