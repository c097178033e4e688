/**
 * @file A tokenizer for models whose input is numbers: each number of a text, separated by blanks, is one token, its id the
 * number in units of 2⁻²⁰, so that rows of numbers are rows of integers like those of text and are trained, stored and digested
 * alike. Networks divide by `NUMBER_UNIT`.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { sha256 } from '../../files/digest.ts'
import type { JsonObject } from '../../files/read-file.ts'
import type { Tokenizer } from '../checkpoint.ts'

export const NUMBER_UNIT = 2 ** 20
/** |number| stays below, so that an id is an int32. */
const LARGEST = 2 ** 11

/** `tokenizer.json` of such a model. */
export const NUMBER_TOKENIZER = { version: '1.0', model: { type: 'Numbers', unit: NUMBER_UNIT } }

export const isOfNumbers = (tokenizerJson: JsonObject): boolean =>
  JSON.stringify(tokenizerJson['model']) === JSON.stringify(NUMBER_TOKENIZER.model)

export const numberTokenizer = (path: string): Tokenizer => ({
  digest: sha256(JSON.stringify(NUMBER_TOKENIZER)),
  vocabSize: 0,
  endIds: [],
  padId: 0,
  encode: (text) =>
    text
      .split(/\s+/u)
      .filter((word) => word !== '')
      .map((word) => idOf(path, word)),
  decode: (ids) => ids.map((id) => String(id / NUMBER_UNIT)).join(' '),
})

function idOf(path: string, word: string): number {
  const value = Number(word)
  if (Number.isFinite(value) && Math.abs(value) < LARGEST) return Math.round(value * NUMBER_UNIT)
  throw new TouchstoneError('data.number', { path, word, most: LARGEST })
}
