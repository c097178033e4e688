/**
 * @file Whether a reply that holds an accepted answer may not give it. An answer is given in a sentence that asks nothing, doubts
 * and denies nothing, and names no alternative; where it stands in other sentences alone ("7? No idea.", "anything but 7",
 * "Paris or Rome", "Paris, Rome, Oslo, Bonn"), or is taken back behind it ("Paris. No, Rome."), a rule of words cannot tell. Words of
 * the question or of an accepted answer are no doubt.
 */
import { words } from '../../statistics/words.ts'
import { containsWords } from '../text.ts'

/** By language; a word that means something else in another language is left out ("of", "mai"). */
const DOUBTS = [
  "not never neither nor cannot can't isn't wasn't won't don't doesn't didn't aren't unlike except",
  'doubt doubts doubtful wrong wrongly false falsely incorrect mistaken mistakenly refuse deny denies',
  'or maybe perhaps possibly supposedly allegedly formerly instead hardly scarcely vs versus',
  'nicht nie niemals kein keine keinen keiner weder außer falsch bezweifle vielleicht oder statt',
  'pas jamais sauf faux doute ou peut-être aucun nunca jamás excepto falso dudo quizá quizás tampoco',
  'non né tranne dubito oppure forse não nem exceto duvido talvez niet nooit geen behalve fout',
  'misschien nie nigdy ani oprócz fałsz lub albo może не никогда ни кроме неверно или может',
  'değil asla yanlış veya belki ليس ليست لم لن أو ربما नहीं या शायद',
].flatMap((line) => line.split(' '))
const PHRASES = [
  ...['used to', 'anything but', 'rather than', 'no idea', 'by no means'],
  ...['opposite of', 'no es', 'no está', 'ya da'],
]
/** In scripts without spaces a word may stand anywhere. */
const ANYWHERE = ['不是', '不在', '没', '并非', '或', '也许', 'ではな', 'じゃな', 'または', 'かも']

const SENTENCE = /(?<=[.!?…]["'”’»)]*)\s+|(?<=[。！？؟।])|\n+|;\s+/u
/** Struck out. */
const STRUCK = /~~[^~]*~~/gu
/** A list of so many things, each of so few words, beside what is in the question. */
const LISTED = { things: 4, words: 3 }
const BETWEEN = /\s*(?:[,،、，]|\s(?:and|und|et|y|e|en|i|и|ve|و|और)\s|[/|]|\s&\s)+\s*/u
const QUESTION = /[?？؟]["'”’»)]*$/u

/** How a sentence begins that takes back what stands before it; the second ones do where a few words follow. */
const BACK = [
  "no|nope|wait|correction|scratch that|hold on|on second thoughts?|oops|i mean(?:t)?|that's wrong",
  'nein|moment|halt|korrektur|non|attendez|espera|corrección|aspetta|anzi|correzione|não|correção',
  'nee|wacht|nie|chwila|нет|стоп|точнее|hayır|bekle|düzeltme|لا|عفوا|नहीं|रुकिए',
].join('|')
const SOFTLY =
  'actually|rather|sorry|eigentlich|entschuldigung|pardon|en fait|perdón|scusa|desculpe'
const FEW_WORDS = 6
const TAKES_BACK = new RegExp(
  `^["“(*_]*(?:(?:${BACK})\\s*[,:;.!…–—-]|(?:不对|不，|等等|いや|違|(?:${SOFTLY})\\s*[,:;…–—-](?:\\s+\\S+){1,${FEW_WORDS}}$))`,
  'u',
)

export const HEDGE_RULE = {
  ...{ doubts: DOUBTS, phrases: PHRASES, anywhere: ANYWHERE, back: TAKES_BACK.source },
  ...{ struck: STRUCK.source, listed: LISTED, between: BETWEEN.source },
}

interface Asked {
  readonly accepted: readonly string[]
  readonly question: string
  /** Whether a sentence holds an accepted answer. */
  readonly holds: (sentence: string) => boolean
}

/** @param reply normalised, as are the answers and the question */
export function isHedged(reply: string, { accepted, question, holds }: Asked): boolean {
  const free = [question, ...accepted].join(' ')
  const known = new Set(words(free))
  const doubts = new Set(DOUBTS.filter((word) => !known.has(word) && !free.includes(word)))
  const phrases = PHRASES.filter((phrase) => !containsWords(free, phrase))
  const anywhere = ANYWHERE.filter((part) => !free.includes(part))
  const isPlain = (sentence: string) =>
    !QUESTION.test(sentence) &&
    !sentence.split(/[\s,.!:()"“”„«»]+/u).some((word) => doubts.has(word)) &&
    !phrases.some((phrase) => containsWords(sentence, phrase)) &&
    !anywhere.some((part) => sentence.includes(part)) &&
    !isListed(sentence, free)
  const all = reply.split(SENTENCE)
  const sentences = all.filter(holds)
  const left = sentences.map((sentence) => sentence.replaceAll(STRUCK, ' … ')).filter(holds)
  const behind = all.slice(all.findLastIndex(holds) + 1)
  const isBack = behind.some((sentence) => TAKES_BACK.test(sentence.trim()))
  return sentences.length > 0 && (isBack || !left.some(isPlain))
}

/** "Paris, Rome, Oslo, Bonn": nothing but things of a few words each, of which all but one are neither asked about nor accepted. */
function isListed(sentence: string, free: string): boolean {
  const things = sentence.split(BETWEEN).filter((thing) => words(thing).length > 0)
  const others = things.filter((thing) => !containsWords(free, words(thing).join(' ')))
  return (
    others.length >= LISTED.things - 1 &&
    things.length >= LISTED.things &&
    things.every((thing) => words(thing).length <= LISTED.words)
  )
}
