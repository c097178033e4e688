/** @file What stands beside a refusal and is no sentence: code, or a number by itself. A classifier of sentences cannot read it. */
import { segments } from './segments.ts'

const FENCED = /```|~~~/u
/** Of fewer letters, beside a digit, there is no sentence: "Room 12". */
const FEWEST_LETTERS = 6
/** "1.", "(2)", "[3]" */
const MARKER = /^[([]?\d{1,2}[\])]?[.:)]?$/u

export const BESIDE_RULE = {
  fenced: FENCED.source,
  fewestLetters: FEWEST_LETTERS,
  marker: MARKER.source,
}

export const holdsUnread = (reply: string): boolean =>
  FENCED.test(reply) || segments(reply).some((part) => isNumber(part) && !MARKER.test(part))

const isNumber = (part: string) =>
  /\p{N}/u.test(part) && (part.match(/\p{L}/gu)?.length ?? 0) < FEWEST_LETTERS
