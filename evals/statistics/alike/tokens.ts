/**
 * @file A text as the words by which it is compared with others: case, punctuation, accents, invisible characters, letters that
 * only look like Latin ones and the values of numbers aside. In scripts without spaces a character is a word.
 */
import { words } from '../words.ts'

/** Cyrillic and Greek letters that look like Latin ones, and these. */
const LOOKALIKES = 'аaеeоoрpсcуyхxіiјjѕsԁdԛqԝwһhкkмmтtвbнnοoαaνvρpτtκkιiυuχxηnγyεeωw'
const LATIN = new Map(Array.from(LOOKALIKES.matchAll(/(.)(.)/gu), ([, from, to]) => [from!, to!]))
const LOOKALIKE = new RegExp(`[${[...LATIN.keys()].join('')}]`, 'gu')
const INVISIBLE = /[\p{Cf}\p{Cc}\p{M}\p{Sk}\u115f\u1160\u3164\uffa0\u2800]/gu

/** What a number stands as. */
const NUMBER = '#'

export const tokensOf = (text: string): string[] =>
  words(plain(text)).map((word) => word.replace(/\p{N}+/gu, NUMBER))

function plain(text: string): string {
  const bare = text.normalize('NFKD').replace(INVISIBLE, '').toLowerCase()
  return bare.replace(LOOKALIKE, (letter) => LATIN.get(letter)!)
}

/** Ends of sentences, clauses that introduce something, and lines. */
const ENDS = /[.!?:;\n\r\u2028\u2029。．！？：；…|<>]+/u

/** Those that end with a question mark. */
export const questionsIn = (text: string): string[][] =>
  [...text.matchAll(QUESTION)].map(([, said]) => tokensOf(said!)).filter(({ length }) => length > 0)

const QUESTION = /([^.!?:;\n\r\u2028\u2029。．！？：；…|<>]+)[?？]/gu

/** The sentences or lines of a text as words; those without a word are left out. */
export const segmentsOf = (text: string): string[][] =>
  text
    .split(ENDS)
    .map(tokensOf)
    .filter(({ length }) => length > 0)
