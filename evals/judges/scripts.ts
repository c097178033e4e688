/** @file Letters of a reply in a script that is not its own or its prompt's. Latin never counts as foreign: names, units, code. */

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

const WORD = /\p{L}[\p{L}\p{M}]+/gu

/** Whether a word stands in another script than most of the reply, and not in the prompt too. */
export function holdsStrayWord(reply: string, prompt: string): boolean {
  if (reply.search(NOT_ANYWHERE) < 0) return false
  const found = reply.match(WORD) ?? []
  const systemOf = (word: string) => SYSTEMS.findIndex((system) => system.test(word))
  const letters = new Map<number, number>()
  for (const word of found)
    letters.set(systemOf(word), (letters.get(systemOf(word)) ?? 0) + word.length)
  const [[own] = [-1]] = [...letters].sort(([, a], [, b]) => b - a)
  const isStray = (word: string) => systemOf(word) >= 0 && systemOf(word) !== own
  return found.some((word) => isStray(word) && !prompt.includes(word))
}
