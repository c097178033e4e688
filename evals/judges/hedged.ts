/**
 * @file Whether a reply that holds an accepted answer may not give it. An answer is given in a sentence that asks nothing, doubts
 * and denies nothing, and names no alternative; where it stands in other sentences alone ("7? No idea.", "anything but 7",
 * "Paris or Rome"), a rule of words cannot tell. Words of the question or of an accepted answer are no doubt.
 */
import { words } from '../statistics/words.ts'
import { containsWords } from './text.ts'

/** By language; a word that means something else in another language is left out ("of", "mai"). */
const DOUBTS = [
  "not never neither nor cannot can't isn't wasn't won't don't doesn't didn't aren't unlike except",
  'doubt doubts doubtful wrong wrongly false falsely incorrect mistaken mistakenly refuse deny denies',
  'or maybe perhaps possibly supposedly allegedly formerly instead',
  'nicht nie niemals kein keine keinen keiner weder außer falsch bezweifle vielleicht oder statt',
  'pas jamais sauf faux doute ou peut-être aucun nunca jamás excepto falso dudo quizá quizás tampoco',
  'non né tranne dubito oppure forse não nem exceto duvido talvez niet nooit geen behalve fout',
  'misschien nie nigdy ani oprócz fałsz lub albo może не никогда ни кроме неверно или может',
  'değil asla yanlış veya belki ليس ليست لم لن أو ربما नहीं या शायद',
].flatMap((line) => line.split(' '))
const PHRASES = ['used to', 'anything but', 'rather than', 'no es', 'no está', 'no idea', 'ya da']
/** In scripts without spaces a word may stand anywhere. */
const ANYWHERE = ['不是', '不在', '没', '并非', '或', '也许', 'ではな', 'じゃな', 'または', 'かも']

const SENTENCE = /(?<=[.!?…]["'”’»)]*)\s+|(?<=[。！？؟।])|\n+|;\s+/u
const QUESTION = /[?？؟]["'”’»)]*$/u

export const HEDGE_RULE = { doubts: DOUBTS, phrases: PHRASES, anywhere: ANYWHERE }

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
    !anywhere.some((part) => sentence.includes(part))
  const sentences = reply.split(SENTENCE).filter(holds)
  return sentences.length > 0 && !sentences.some(isPlain)
}
