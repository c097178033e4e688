/** @file The share of a reply's letters in a script that its prompt does not use. Latin never counts as foreign: names, units, code. */

/** One entry per writing system, of those in wide use (Unicode Standard Annex 31, table 5). */
export const SCRIPTS: readonly (readonly string[])[] = [
  ['Han', 'Hiragana', 'Katakana', 'Bopomofo'],
  ...`Hangul Cyrillic Greek Armenian Georgian Hebrew Arabic Thaana
    Devanagari Bengali Gurmukhi Gujarati Oriya Tamil Telugu Kannada
    Malayalam Sinhala Thai Lao Tibetan Myanmar Khmer Ethiopic`
    .split(/\s+/)
    .map((script) => [script]),
]
const ANYWHERE = ['Latin', 'Common', 'Inherited']

const classOf = (scripts: readonly string[]) =>
  scripts.map((script) => `\\p{Script=${script}}`).join('')
const lettersBeyond = (scripts: readonly string[]) =>
  new RegExp(`[\\p{L}--[${classOf(scripts)}]]`, 'gv')

// Compiled once: each takes milliseconds.
const LETTER = /\p{L}/gu
const NOT_ANYWHERE = lettersBeyond(ANYWHERE)
const UNLISTED = lettersBeyond([...SCRIPTS.flat(), ...ANYWHERE])
const SYSTEMS = SCRIPTS.map((scripts) => new RegExp(`[${classOf(scripts)}]`, 'u'))

/** Letters in scripts that are neither the prompt's nor Latin, as a share of the reply's letters. */
export function foreignShare(reply: string, prompt: string): number {
  const others = reply.match(NOT_ANYWHERE) ?? []
  // A prompt in an unlisted script cannot be compared.
  if (others.length === 0 || prompt.search(UNLISTED) >= 0) return 0
  const own = SYSTEMS.filter((system) => system.test(prompt))
  const foreign = others.filter((letter) => !own.some((system) => system.test(letter)))
  return foreign.length / reply.match(LETTER)!.length
}
