/** @file The language that prompts are asked in, by their script and, in Latin letters, by function words. */
import { join } from 'node:path'
import { readWords } from '../tables/words.ts'
import { words } from '../statistics/words.ts'

export const FUNCTION_WORDS = Object.entries(
  readWords<Record<string, string>>(join(import.meta.dirname, 'words', 'languages.yaml')),
).map(([code, text]) => ({ code, known: new Set(text.split(' ')) }))

/** Scripts that one widely used language writes, the likeliest first where letters are shared. */
const SCRIPTS = [
  ['ja', '\\p{Script=Hiragana}\\p{Script=Katakana}'],
  ['zh', '\\p{Script=Han}'],
  ['ko', '\\p{Script=Hangul}'],
  ['uk', 'іїєґ'],
  ['ru', '\\p{Script=Cyrillic}'],
  ['fa', 'پچژگ'],
  ['ar', '\\p{Script=Arabic}'],
  ['hi', '\\p{Script=Devanagari}'],
  ['el', '\\p{Script=Greek}'],
  ['he', '\\p{Script=Hebrew}'],
  ['th', '\\p{Script=Thai}'],
  ['bn', '\\p{Script=Bengali}'],
  ['ta', '\\p{Script=Tamil}'],
].map(([code, letters]) => ({ code: code!, letters: new RegExp(`[${letters!}]`, 'gu') }))

/** Letters of a script, as a share of all, from which a text is in its language; fewer are names and quotations. */
const SHARE = 0.3
/** Of letters that only one of several languages of a script has. */
const OWN_SHARE = 0.02
const OWN = new Set(['ja', 'uk', 'fa'])
/** Function words among all words, and against those of English, from which a text is in a language. */
const WORD_SHARE = 0.08
const OVER_ENGLISH = 1.5
const FEWEST = 3
/** Words that are looked at. */
const MOST = 20_000

const countOf = (text: string, letters: RegExp) => text.match(letters)?.length ?? 0

/** ISO 639-1; undefined where the texts do not tell. */
export function languageOf(texts: readonly string[]): string | undefined {
  const text = texts.join('\n').toLowerCase()
  const all = countOf(text, /\p{L}/gu)
  const script = SCRIPTS.find(
    ({ code, letters }) => countOf(text, letters) > (OWN.has(code) ? OWN_SHARE : SHARE) * all,
  )
  if (script) return script.code
  const found = words(text).slice(0, MOST)
  const hits = FUNCTION_WORDS.map(({ code, known }) => ({
    code,
    count: found.filter((word) => known.has(word)).length,
  }))
  const english = hits.find(({ code }) => code === 'en')!.count
  const [best] = hits.sort((a, b) => b.count - a.count)
  if (best!.count < Math.max(FEWEST, WORD_SHARE * found.length)) return undefined
  return best!.code === 'en' || best!.count > OVER_ENGLISH * english ? best!.code : undefined
}
