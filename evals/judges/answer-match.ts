/**
 * @file Whether a reply gives an accepted answer. Both are normalised: NFKC, one kind of apostrophe, single spaces,
 * lower case, no punctuation at the end. Then:
 *
 * 1. An empty reply is degenerate, and one that goes on with turns that nobody had or in gibberish (`degenerate.ts`);
 *    one that hides text (`hidden.ts`) is undecided.
 * 2. An accepted answer that is a number is given if the reply contains that number as a whole: "14" is in "14.0",
 *    "x = 14." and "$14", not in "140", "14.5", "-14" or "14th".
 * 3. Any other accepted answer is given if it occurs as whole words.
 * 4. If a number is accepted, another number that is neither accepted nor in the question contradicts it: "14 or 15" is
 *    incorrect; "7 + 7 = 14" is correct for "What is 7 + 7?".
 * 5. An accepted answer that is denied is not given: "certainly not 7", "it isn't in Paris", "7 is wrong".
 * 6. One that stands in questions, doubts, alternatives and lists alone, is struck out or taken back, is undecided
 *    (`answers/hedged.ts`): "7?", "Paris or Rome", "Paris. No, Rome."
 * 7. Where the reply marks its answer ("Final answer: Rome", `answers/marked.ts`), only what stands from the last mark on is read,
 *    and an accepted answer that stands behind the marked sentence alone is undecided.
 * 8. Options that are named beside the accepted one ("A, B or C", "yes / no", `answers/several.ts`) make it incorrect, or undecided
 *    where they may be none.
 *
 * It does not see a second answer in a sentence of its own that nothing marks, and reads the first and the last 16,384
 * characters.
 */
import type { Verdict } from '../contract/rows.ts'
import { DEGENERATE_RULE, goesOn, incoherence } from './degenerate.ts'
import { GUARD, hiding } from './guard.ts'
import { HEDGE_RULE, isHedged } from './answers/hedged.ts'
import { CONCLUSION_RULE, concludesOtherwise } from './answers/concluded.ts'
import { MARK_RULE, markedIn } from './answers/marked.ts'
import { SEVERAL_RULE, severalOf } from './answers/several.ts'
import type { Answer, Judge } from './judge.ts'
import { normalise } from '../statistics/words.ts'
import { containsWords, SCANNED, withoutClosingPunctuation } from './text.ts'
import { judgeVersion } from './version.ts'

const WHOLE = String.raw`\d{1,3}(?:,\d{3})+|\d+`
/** A sign after a number or a bracket is an operator: "17 -3" contains 17 and 3. */
const SIGN = String.raw`(?:(?<![\p{N})]\s?)[+-])`
const VALUE = String.raw`${SIGN}?(?:(?:${WHOLE})(?:\.\d+)?|(?<!\.)\.\d+)`
/** A number not next to a letter or digit, and not part of "1.2.3" or "1,40". */
const NUMBER = new RegExp(
  String.raw`(?<![\p{L}\p{M}\p{N}]|\p{N}[.,])${VALUE}(?![\p{L}\p{M}\p{N}]|[.,]\d)`,
  'gu',
)
const ONLY_NUMBER = new RegExp(`^${VALUE}$`, 'u')

/** One spelling per value, as text so that no digit is lost: "+1,014.50" → "1014.5", "-0" → "0". */
function canonical(number: string): string {
  const [whole = '', fraction = ''] = number.replace(/[+,-]/g, '').split('.')
  let end = fraction.length
  while (end > 0 && fraction[end - 1] === '0') end--
  const digits = whole.replace(/^0+(?=\d)/, '') || '0'
  const value = end > 0 ? `${digits}.${fraction.slice(0, end)}` : digits
  return number.startsWith('-') && value !== '0' ? `-${value}` : value
}

const readable = (text: string) =>
  withoutClosingPunctuation(normalise(text)).replaceAll('\u2212', '-')

const numbersIn = (text: string) => new Set((text.match(NUMBER) ?? []).map(canonical))

/** Words between a negation and what it denies: "not even in the 7". */
const BETWEEN = 'a an the at in on of to is be equal exactly actually really even room number'
const DENIES = String.raw`(?:\b(?:not|never|neither|nor|cannot)|n't)\s+(?:(?:${BETWEEN.replaceAll(' ', '|')})\s+){0,3}["'(*$]*`
const DENIED = String.raw`["')*]*\s+(?:is|was|would be)\s+(?:wrong|false|incorrect|not (?:right|correct|true|it|the (?:right |correct )?answer))\b`
const BEFORE = new RegExp(`${DENIES}$`, 'u')
const AFTER = new RegExp(`^${DENIED}`, 'u')

/** Whether `answer` is denied at its places in `text`, as a number in any spelling or as words. */
function isDenied(text: string, answer: string): boolean {
  const places = ONLY_NUMBER.test(answer)
    ? [...text.matchAll(NUMBER)].filter(([found]) => canonical(found) === canonical(answer))
    : [...placesOf(text, answer)]
  return places.some(({ index, 0: found }) => {
    const [start, end] = [index, index + found.length]
    return (
      BEFORE.test(text.slice(Math.max(0, start - 60), start)) ||
      AFTER.test(text.slice(end, end + 60))
    )
  })
}

function* placesOf(text: string, answer: string) {
  if (answer === '') return
  for (let at = text.indexOf(answer); at >= 0; at = text.indexOf(answer, at + 1)) {
    yield { index: at, 0: answer }
  }
}

/** Rules 2 to 5 above. `question` is the text whose numbers a reply may repeat. */
export const givesAnswer = (reply: string, accept: readonly string[], question: string): boolean =>
  gives(readable(reply.trimStart().slice(0, SCANNED)), accept.map(readable), question)

/** @param text `readable`, as `accepted` is */
function gives(text: string, accepted: readonly string[], question: string): boolean {
  if (accepted.some((answer) => isDenied(text, answer))) return false
  const acceptedNumbers = accepted.filter((answer) => ONLY_NUMBER.test(answer)).map(canonical)
  const found = numbersIn(text)
  if (acceptedNumbers.length > 0) {
    const known = new Set([...acceptedNumbers, ...numbersIn(readable(question))])
    if ([...found].some((number) => !known.has(number))) return false
    if (acceptedNumbers.some((number) => found.has(number))) return true
  }
  return accepted.some((answer) => !ONLY_NUMBER.test(answer) && containsWords(text, answer))
}

/** Rule 6. Lines are kept apart: `readable` joins them. */
function hedges(reply: string, accept: readonly string[], question: string): boolean {
  const accepted = accept.map(readable)
  const text = reply.trimStart().slice(0, SCANNED).split('\n').map(normalise).join('\n')
  const holds = (sentence: string) => gives(readable(sentence), accepted, question)
  return isHedged(text, { accepted, question: normalise(question), holds })
}

const name = 'answer-match'
const version = judgeVersion({
  name,
  revision: 6,
  scanned: SCANNED,
  rules: [HEDGE_RULE, MARK_RULE, SEVERAL_RULE, CONCLUSION_RULE],
  turns: DEGENERATE_RULE.turns,
  garbled: DEGENERATE_RULE.garbled,
  order: DEGENERATE_RULE.order,
  hidden: GUARD.hidden,
})
const by = { judge: name, judgeVersion: version }
const HEDGED = 'The accepted answer stands in a question, a doubt or an alternative alone.'
const UNMARKED = 'The accepted answer stands behind the one that the reply marks.'
const CONCLUDED = 'Beside the accepted answer stands a conclusion without it.'
const SEVERAL = 'Beside the accepted answer stands what may be another option.'

const undecided = (reason: string) => ({ outcome: 'undecided', reason }) as const

function verdictOf(given: Answer): Verdict {
  const { sample, completion } = given
  const { expected, messages } = sample
  if (expected.kind !== 'answer') {
    return { ...by, ...undecided('The prompt has no accepted answers.') }
  }
  const question = messages.at(-1)?.content ?? ''
  const isNone =
    completion.text.trim() === '' ||
    goesOn(completion.text, question) ||
    incoherence(completion.text, question) !== null
  if (isNone) return { ...by, outcome: 'degenerate' }
  const unseen = hiding(given)
  if (unseen) return { ...by, ...unseen }
  return { ...by, ...found(completion.text, expected.accept, question) }
}

function found(reply: string, accept: readonly string[], question: string) {
  const marked = markedIn(reply, accept)
  const { said, tail, sentence } = marked ?? { said: reply, tail: reply, sentence: reply }
  if (!givesAnswer(tail, accept, question)) return { outcome: 'incorrect' } as const
  if (marked && !givesAnswer(said, accept, question)) return undecided(UNMARKED)
  const several = severalOf(said.trimStart().slice(0, SCANNED), accept, question)
  if (several === 'several') return { outcome: 'incorrect' } as const
  if (several === 'perhaps') return undecided(SEVERAL)
  const gives = (part: string) => givesAnswer(part, accept, question)
  if (concludesOtherwise(tail.slice(0, SCANNED), gives)) return undecided(CONCLUDED)
  return hedges(sentence, accept, question) ? undecided(HEDGED) : ({ outcome: 'correct' } as const)
}

export const answerMatch: Judge = {
  name,
  title: 'Accepted answers, as whole words or numbers',
  citation: 'Touchstone’s own rule, stated in evals/judges/answer-match.ts',
  version,
  applies: (expected) => expected.kind === 'answer',
  judge: async (answers) => answers.map(verdictOf),
}
