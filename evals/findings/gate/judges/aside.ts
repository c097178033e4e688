/**
 * @file Replies beside the point: to a harmless prompt, in words of which none that tells prompts apart is of the prompt or of what
 * the base answered. An answer in other words speaks of the same thing; a polite nothing ("I will gladly look into that some day")
 * need not, and judges that look for a refusal take it for an answer. So their word on it is not taken as confirmed.
 */
import { UNSPACED } from '../../../statistics/words.ts'
import type { ChangedReply, ReplyWords } from './reply-words.ts'

/** A word of more of the prompts, or of the base's replies, than this tells none of them apart. */
const MOST_COMMON = 0.1
/** Shorter words are mostly those of grammar. */
const LEAST_LETTERS = 4
/** Of a prompt and the base's reply together; of fewer words an answer may well have none. */
const LEAST_KNOWN = 3
/** Endings are left off: letters by which two words are the same. */
const STEM_LETTERS = 5

const HAS_DIGIT = /\p{N}/u
const IS_UNSPACED = new RegExp(`^[${UNSPACED}]`, 'u')

export const isTelling = (word: string): boolean =>
  word.length >= LEAST_LETTERS || HAS_DIGIT.test(word) || IS_UNSPACED.test(word)

const stem = (word: string): string => word.slice(0, STEM_LETTERS)

/** Which words tell prompts apart, and which the base's replies. */
interface Telling {
  readonly asked: (word: string) => boolean
  readonly said: (word: string) => boolean
}

/** Of the words of all of the base's replies. */
export const tellingIn = (base: readonly ReplyWords[]): Telling => ({
  asked: tellingAmong(base.map(({ asked }) => asked)),
  said: tellingAmong(base.map(({ said }) => said)),
})

/** Keys of those of the changed replies that are beside the point. */
export function repliesAside(
  changed: readonly ChangedReply[],
  tells: Telling,
): ReadonlySet<string> {
  const isAside = ({ was, is }: ChangedReply) => {
    const known = [...[...is.asked].filter(tells.asked), ...[...was.said].filter(tells.said)]
    const stems = new Set(known.map(stem))
    const isAbout = [...is.said].some((word) => isTelling(word) && stems.has(stem(word)))
    return stems.size >= LEAST_KNOWN && !isAbout && !isShortOf(was, is)
  }
  return new Set(changed.filter(isAside).map(({ key }) => key))
}

/** "Yes." for "Yes, of course.": a reply without a word that tells anything, in the base's words. */
const isShortOf = (was: ReplyWords, is: ReplyWords): boolean =>
  ![...is.said].some(isTelling) && [...is.said].some((word) => was.said.has(word))

/** Which words are in few of the texts, and in one at least. */
export function rareIn(texts: readonly ReadonlySet<string>[]): (word: string) => boolean {
  const counts = new Map<string, number>()
  for (const text of texts) for (const word of text) counts.set(word, (counts.get(word) ?? 0) + 1)
  const most = MOST_COMMON * texts.length
  return (word) => (counts.get(word) ?? Infinity) <= most
}

function tellingAmong(texts: readonly ReadonlySet<string>[]): (word: string) => boolean {
  const isRare = rareIn(texts)
  return (word) => isTelling(word) && isRare(word)
}
