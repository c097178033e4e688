/**
 * @file Whether a reply is in a language that the judge does not read, which it could take for an answer whatever it says: where few of
 * its words stand in the texts that the judge was trained on (`known.ts`), in all of it or in sentences that hold half of its words.
 * How few depends on the script, on function words and on letters that only other languages have. Close relatives of what is read
 * (Catalan, Galician, Afrikaans) are not told from it, nor are replies of a few words.
 */
import { FUNCTION_WORDS } from '../language.ts'
import { CODE_BLOCK } from '../text.ts'
import { isKnownWord, partsOf, wordsOf } from './known.ts'
import { segments } from './segments.ts'

/** Each has its words in words/, of which the classifier was trained. */
export const LANGUAGES: readonly string[] = 'ar de en es fr hi it ja nl pl pt ru tr zh'.split(' ')

const CODE = new RegExp(CODE_BLOCK, 'gu')
const HAS_DIGIT = /\p{N}/u
const LETTER = /\p{L}/gu
const OUTSIDE =
  /[\p{L}--[\p{Script=Latin}\p{Script=Cyrillic}\p{Script=Arabic}\p{Script=Devanagari}\p{Script=Han}\p{Script=Hiragana}\p{Script=Katakana}]]/gv
/** Letters of Polish and Turkish, whose words have many forms, and such as no language that is read has. */
const MANY_FORMS = /[ąęłśźżğış]/gu
const OTHERS = /[åøæðþřěůőűāēīūėųțșăəđơưħġċŵŷĉĝŭčžќѓљњћђџјіїєґў]/gu
const SCRIPTS = [
  { letters: /\p{Script=Cyrillic}/gu, least: 0.35 },
  { letters: /\p{Script=Arabic}/gu, least: 0.3 },
  { letters: /\p{Script=Devanagari}/gu, least: 0.4 },
]

const RULE = {
  /** Words without digits; fewer tell nothing, and letters of another script. */
  fewest: 6,
  /** Of its words, the share in sentences that are not read. */
  part: 0.5,
  /** Share of known words from which a text is read. */
  least: 0.5,
  /** The same of words with many forms, and where another language is likelier. */
  leastOfForms: 0.32,
  leastOfOthers: 0.65,
  /** Words with many forms have to be more before they tell, and fewer of them known where the prompt is written alike. */
  fewestOfForms: 8,
  asAsked: 0.6,
  /** From here up no half of it can be in another language. */
  surely: 0.85,
  /** So many words one after another, none of which is known, are not read, whatever else is: gibberish behind an answer. */
  unknownRun: 7,
  /** Share of a language's own letters among all from which they tell. */
  ofLetters: 0.02,
} as const

export const LANGUAGE_RULE = {
  ...{
    ...RULE,
    languages: LANGUAGES,
    functionWords: FUNCTION_WORDS.map(({ known }) => [...known]),
  },
  letters: [CODE, OUTSIDE, MANY_FORMS, OTHERS].map(({ source }) => source),
  scripts: SCRIPTS.map(({ letters, least }) => [letters.source, least]),
}

const countOf = (text: string, letters: RegExp) => text.match(letters)?.length ?? 0

interface Read {
  readonly text: string
  /** Words without digits, and how many of them are known. */
  readonly spelt: readonly string[]
  readonly known: number
}

function read(text: string): Read {
  const spelt = wordsOf(text).filter((word) => !HAS_DIGIT.test(word))
  return { text, spelt, known: spelt.filter(isKnownWord).length }
}

/** Whether all of it, or sentences with half of its words, are in another language; sentences of the prompt aside. */
export function isUnreadLanguage(reply: string, prompt = ''): boolean {
  const asked = prompt.trim().toLowerCase()
  const lower = reply.replaceAll(CODE, ' ').toLowerCase()
  const own = segments(asked === '' ? lower : lower.replaceAll(asked, '\n'))
    .filter((part) => !asked.includes(part))
    .map(read)
  const spelt = own.flatMap((part) => part.spelt)
  const text = own.map((part) => part.text).join('\n')
  if (isMostly(text, OUTSIDE) && countOf(text, OUTSIDE) >= RULE.fewest) return true
  if (hasUnknownRun(text)) return true
  const known = own.reduce((sum, part) => sum + part.known, 0)
  if (known > RULE.surely * spelt.length) return false
  const bounds = boundsOf(text, asked)
  const isForeign = (part: Read) => isBelow(part, bounds ?? boundsByWords(part.spelt))
  if (isForeign({ text, spelt, known })) return true
  const foreign = own.filter(isForeign).flatMap((part) => part.spelt)
  return foreign.length > 0 && foreign.length >= RULE.part * spelt.length
}

/** Of words that have few forms; between two of them stands nothing but space. */
const hasUnknownRun = (text: string): boolean =>
  partsOf(text).some((found) => {
    if (found.length < RULE.unknownRun || boundsOf(found.join(' '), '')) return false
    let run = 0
    return found.some((word) => {
      run = HAS_DIGIT.test(word) || isKnownWord(word) ? 0 : run + 1
      return run >= RULE.unknownRun
    })
  })

/** Words without digits from which, and the share of known ones below which, a text is not read. */
interface Bounds {
  readonly fewest: number
  readonly least: number
}

const isBelow = ({ spelt, known }: Read, { fewest, least }: Bounds): boolean =>
  spelt.length >= fewest && known < least * spelt.length

const has = (text: string, letters: RegExp, share: number) =>
  text.search(letters) >= 0 && countOf(text, letters) > share * countOf(text, LETTER)
const isMostly = (text: string, letters: RegExp) => has(text, letters, 0.5)

/** By letters; undefined where they do not tell. */
function boundsOf(text: string, asked: string): Bounds | undefined {
  const { fewest, fewestOfForms, leastOfOthers, leastOfForms, ofLetters } = RULE
  if (has(text, OTHERS, ofLetters)) return { fewest, least: leastOfOthers }
  const within = (least: number, isAsked: boolean) => ({
    fewest: fewestOfForms,
    least: isAsked ? RULE.asAsked * least : least,
  })
  const script = SCRIPTS.find(({ letters }) => isMostly(text, letters))
  if (script) return within(script.least, isMostly(asked, script.letters))
  if (!has(text, MANY_FORMS, ofLetters)) return undefined
  return within(leastOfForms, has(asked, MANY_FORMS, ofLetters))
}

function boundsByWords(spelt: readonly string[]): Bounds {
  const hits = FUNCTION_WORDS.map(({ code, known }) => ({
    isOurs: LANGUAGES.includes(code),
    count: spelt.filter((word) => known.has(word)).length,
  }))
  const most = (isOurs: boolean) =>
    Math.max(...hits.filter((each) => each.isOurs === isOurs).map(({ count }) => count))
  const { fewest, least, leastOfOthers } = RULE
  return { fewest, least: most(false) > most(true) ? leastOfOthers : least }
}
