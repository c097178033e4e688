/** @file Which letters of a reply belong to a script that its prompt does not use. Latin is at home everywhere: names, units, code. */

/** One entry a writing system, of those in wide use (Unicode Standard Annex 31, table 5). */
export const SCRIPTS: readonly (readonly string[])[] = [
  ['Han', 'Hiragana', 'Katakana', 'Bopomofo'],
  ...[
    ...['Hangul', 'Cyrillic', 'Greek', 'Armenian', 'Georgian', 'Hebrew', 'Arabic', 'Thaana'],
    ...['Devanagari', 'Bengali', 'Gurmukhi', 'Gujarati', 'Oriya', 'Tamil', 'Telugu', 'Kannada'],
    ...['Malayalam', 'Sinhala', 'Thai', 'Lao', 'Tibetan', 'Myanmar', 'Khmer', 'Ethiopic'],
  ].map((script) => [script]),
]
const ANYWHERE = ['Latin', 'Common', 'Inherited']

const classOf = (scripts: readonly string[]) =>
  scripts.map((script) => `\\p{Script=${script}}`).join('')
const lettersBeyond = (scripts: readonly string[]) =>
  new RegExp(`[\\p{L}--[${classOf(scripts)}]]`, 'gv')

// Made once: an engine takes milliseconds for each of these.
const LETTER = /\p{L}/gu
const NOT_ANYWHERE = lettersBeyond(ANYWHERE)
const UNLISTED = lettersBeyond([...SCRIPTS.flat(), ...ANYWHERE])
const SYSTEMS = SCRIPTS.map((scripts) => new RegExp(`[${classOf(scripts)}]`, 'u'))

/** Of the reply's letters, the share in scripts that are neither the prompt's nor Latin. */
export function foreignShare(reply: string, prompt: string): number {
  const others = reply.match(NOT_ANYWHERE) ?? []
  // Of a prompt in a script that is not listed, nothing can be said.
  if (others.length === 0 || prompt.search(UNLISTED) >= 0) return 0
  const own = SYSTEMS.filter((system) => system.test(prompt))
  const foreign = others.filter((letter) => !own.some((system) => system.test(letter)))
  return foreign.length / reply.match(LETTER)!.length
}
