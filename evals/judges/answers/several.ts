/**
 * @file Whether a reply names several of the options of which one is accepted: letters beside each other ("A, B, C or D"), or both of
 * yes and no ("yes / no"). Where a letter or a word beside an answer may be something else, it only may.
 */
import { normalise } from '../../statistics/words.ts'

const LETTER = /^[A-H]$/u
const OPTION = '[(\\[*_]{0,4}[A-H][)\\]*_.:]{0,4}'
const JOINS =
  'as well as|and also|but also|but|also|aber|auch|and|or|und|oder|et|ou|y|o|e|en|of|i|lub|и|или|ve|veya|和|或|と|か'
/** Between letters: a word or sign that joins them, or nothing but space where the line ends behind them. */
const RUN = new RegExp(
  `(?<![\\p{L}\\p{M}\\p{N}'’])${OPTION}(?:\\s*(?:[,;/|&+]|(?<=\\s)(?:${JOINS})(?=\\s))+\\s*${OPTION}|\\s+${OPTION}(?=(?:\\s+${OPTION}){0,8}[\\s.!?]*$))+(?![\\p{L}\\p{M}\\p{N}'’]|[.:)] *\\p{L})`,
  'gimu',
)
/** Where a letter is an option and no word: at the start, behind a sign, behind "option". */
const NAMED =
  /(?:(?<=^|[\n.,;:!?([/|*_"“]\s*)|(?<=(?i:option|choice|answer|letter)\s))[A-H](?![\p{L}\p{M}\p{N}'’])/gu
/** In a question that lists its options. */
const LISTED = /(?<![\p{L}\p{M}\p{N}])[A-H](?=[.):])/gu
const ALONE =
  /(?<before>[\p{L}\p{M}]+ )?(?<![\p{L}\p{M}\p{N}'’])(?<letter>[B-H])(?![\p{L}\p{M}\p{N}'’])/gu
const ARTICLE = /^A\s+[\p{L}\p{N}]/u

/** Of which an answer is one. */
const OPPOSITES = [
  ...['yes no', 'true false', 'ja nein', 'wahr falsch', 'richtig falsch', 'oui non', 'vrai faux'],
  ...['sí no', 'si no', 'sì no', 'verdadero falso', 'vero falso', 'sim não', 'verdadeiro falso'],
  ...['ja nee', 'waar onwaar', 'tak nie', 'prawda fałsz', 'да нет', 'верно неверно', 'evet hayır'],
  ...['doğru yanlış', 'نعم لا', 'हाँ नहीं', 'はい いいえ', '是 否', '是 不是', '对 错'],
].map((pair) => pair.split(' ') as [string, string])

const EDGE = { before: '(?<![\\p{L}\\p{M}\\p{N}])', after: '(?![\\p{L}\\p{M}\\p{N}])' }
const JOINED = `(?:\\s*[/|&+]\\s*|\\s+(?:${JOINS})\\s+|(?:和|或))`
const SIGNS = `(?:[\\s/|&+,;.:!?()*_"“”…–—>=→-]|(?<=\\s)(?:${JOINS})(?=\\s))+`
const CLOSED = '(?=[\\s*_"”)]*(?:$|[.,;:!?)…\\n]))'

export const SEVERAL_RULE = {
  ...{ opposites: OPPOSITES, run: RUN.source, named: NAMED.source, alone: ALONE.source },
  ...{ joined: JOINED, signs: SIGNS, closed: CLOSED },
}

type Several = 'several' | 'perhaps' | 'one'

export function severalOf(reply: string, accept: readonly string[], question: string): Several {
  const letters = new Set(accept.map((answer) => answer.trim().toUpperCase()))
  const byLetters = accept.some((answer) => LETTER.test(answer.trim()))
    ? lettersOf(reply, letters, question)
    : 'one'
  return byLetters === 'one' ? oppositesOf(reply, accept) : byLetters
}

function lettersOf(reply: string, accepted: ReadonlySet<string>, question: string): Several {
  const isOther = (letter: string) => !accepted.has(letter.toUpperCase())
  const isSpread = ([run]: RegExpMatchArray) =>
    (run.match(/(?<![\p{L}\p{M}])[A-H](?![\p{L}\p{M}])/giu) ?? []).some(isOther)
  if ([...reply.matchAll(RUN)].some(isSpread)) return 'several'
  const isNamed = ({ index, 0: letter }: RegExpExecArray) =>
    isOther(letter) && !ARTICLE.test(reply.slice(index, index + 12))
  // "vitamin C" is no option where the question has it too.
  const isAlone = ({ groups: { before = '', letter } = {} }: RegExpExecArray) =>
    isOther(letter!) &&
    !(before && question.toLowerCase().includes(`${before}${letter}`.toLowerCase()))
  const lists = new Set(question.match(LISTED)).size > 1
  const isOne = lists ? [...reply.matchAll(ALONE)].some(isAlone) : false
  return isOne || [...reply.matchAll(NAMED)].some(isNamed) ? 'perhaps' : 'one'
}

function oppositesOf(reply: string, accept: readonly string[]): Several {
  const [text, accepted] = [normaliseLines(reply), accept.map((answer) => normalise(answer))]
  const found = OPPOSITES.filter(
    (pair) => pair.some((word) => accepted.includes(word)) && !holdsBoth(accepted, pair),
  )
  const says = (between: string, after: string) =>
    found.some(([one, other]) =>
      [`${one}${between}${other}`, `${other}${between}${one}`].some((both) =>
        new RegExp(`${EDGE.before}${both}${EDGE.after}${after}`, 'mu').test(text),
      ),
    )
  if (found.length === 0) return 'one'
  if (says(SIGNS, CLOSED) || says(JOINED, CLOSED)) return 'several'
  return says(JOINED, '') ? 'perhaps' : 'one'
}

const normaliseLines = (text: string) => text.split('\n').map(normalise).join('\n')

/** Where either is accepted, or both together are. */
const holdsBoth = (accepted: readonly string[], [one, other]: readonly [string, string]) =>
  (accepted.includes(one) && accepted.includes(other)) ||
  accepted.some(
    (answer) =>
      answer.includes(one) && answer.includes(other) && answer !== one && answer !== other,
  )
