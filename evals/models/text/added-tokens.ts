/**
 * @file Added tokens as the `tokenizers` library finds them (added_vocabulary.rs): `single_word` needs no word character on either
 * side, `lstrip` and `rstrip` take the white space beside them, and what one token took no other takes.
 */

interface AddedToken {
  lstrip: boolean
  rstrip: boolean
  readonly single_word: boolean
}

interface Splitter {
  /** Texts between added tokens, and these by their contents. */
  split(text: string): string[]
}

/** The parts of the JavaScript library that cut a text at its added tokens. */
export interface AddedTokenLibrary {
  readonly added_tokens_map: ReadonlyMap<string, AddedToken>
  readonly splitter_unnormalized: Splitter
  readonly splitter_normalized: Splitter
}

const WORD = '[\\p{Alphabetic}\\p{M}\\p{Nd}\\p{Pc}\\u200c\\u200d]'
const ENDS_IN_WORD = new RegExp(`${WORD}$`, 'v')
const BEGINS_WITH_WORD = new RegExp(`^${WORD}`, 'v')

/** Makes the library's splitters exact; its own trimming is switched off. */
export function makeExact(library: AddedTokenLibrary): void {
  const rules = new Map([...library.added_tokens_map].map(([text, token]) => [text, { ...token }]))
  const isPlain = ({ lstrip, rstrip, single_word: alone }: AddedToken) =>
    !lstrip && !rstrip && !alone
  if ([...rules.values()].every(isPlain)) return
  for (const splitter of [library.splitter_unnormalized, library.splitter_normalized]) {
    const split = splitter.split.bind(splitter)
    splitter.split = (text) => regrouped(text, split(text), rules)
  }
  for (const token of library.added_tokens_map.values()) token.lstrip = token.rstrip = false
}

function regrouped(
  text: string,
  found: readonly string[],
  rules: ReadonlyMap<string, AddedToken>,
): string[] {
  const sections: string[] = []
  let taken = 0
  let at = 0
  for (const section of found) {
    const [begin, end] = [at, at + section.length]
    at = end
    const rule = rules.get(section)
    if (!rule || (rule.single_word && !isAlone(text, begin, end))) continue
    const [before, after] = [text.slice(0, begin), text.slice(end)]
    const spaces = rule.lstrip ? before.length - before.trimEnd().length : 0
    const start = Math.max(begin - spaces, taken)
    if (start > taken) sections.push(text.slice(taken, start))
    sections.push(section)
    taken = end + (rule.rstrip ? after.length - after.trimStart().length : 0)
  }
  return taken < text.length ? [...sections, text.slice(taken)] : sections
}

const isAlone = (text: string, begin: number, end: number): boolean =>
  !ENDS_IN_WORD.test(text.slice(Math.max(0, begin - 2), begin)) &&
  !BEGINS_WITH_WORD.test(text.slice(end, end + 2))
