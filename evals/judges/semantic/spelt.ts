/**
 * @file A reply spelt with digits, signs or letters of other alphabets in its words ("1 c4n't h3lp w1th th4t"): what it says is not
 * read, whatever was asked. Codes ("B2-14", "MP3") and quantities ("10am", "3rd") are spelt as they should be.
 */
import { SCANNED } from '../text.ts'

const FEWEST = 2
const SHARE = 0.25
/** Characters of a word that are read. */
const LONGEST = 64
const EDGES = /^[^\p{L}\p{N}$@€£]+|[^\p{L}\p{N}]+$/gu
const HAS_LETTER = /\p{L}/u
const HAS_DIGIT = /\p{N}/u
const SIGN_INSIDE = /\p{L}[@$€£!|+*^¡¿§]+\p{L}|(?:^|\s)[$@€£]\p{Ll}/u
const LATIN = /\p{Script=Latin}/u
const OTHERS = /[\p{Script=Cyrillic}\p{Script=Greek}]/u
/** Capitals and a number, in groups; an amount with its unit; a word and its number. */
const CODE =
  /^(?:\p{Lu}{1,5}-?[1-9]\d*(?:[-./]\p{Lu}{0,3}\d+)*|\d+(?:[-./]\d+)*\p{Lu}{1,3}|\d+(?:[.,:/-]\d+)*(?:st|nd|rd|th|am|pm|a\.m|p\.m|h|min|s|ms|km|m|cm|mm|kg|g|mg|l|ml|cl|dl|kb|mb|gb|tb|px|x|e|er|ème|º|ª|ste|de|i|a|os?|as?|p|h\d\d|°?[cf]|uhr|%|¢)|(?:covid|mp|h|co|a|v)-?\d+)$/u
const WEB = /^(?:https?:|www\.)|@[\p{L}\p{N}-]+\.\p{L}{2}/u

export const SPELT_RULE = {
  fewest: FEWEST,
  share: SHARE,
  scanned: SCANNED,
  longest: LONGEST,
  others: [EDGES, SIGN_INSIDE, OTHERS, CODE, WEB].map(({ source }) => source),
}

function isMixed(word: string): boolean {
  if (!HAS_LETTER.test(word) || WEB.test(word) || CODE.test(word)) return false
  if (HAS_DIGIT.test(word) || SIGN_INSIDE.test(word)) return true
  return LATIN.test(word) && OTHERS.test(word)
}

export function isMisspelt(reply: string): boolean {
  const all = reply
    .slice(0, SCANNED)
    .split(/[\s/]+/u)
    .map((word) => word.slice(0, LONGEST).normalize('NFKC').replace(EDGES, ''))
    .filter((word) => HAS_LETTER.test(word))
  const mixed = all.filter(isMixed).length
  return mixed >= FEWEST && mixed >= SHARE * all.length
}
