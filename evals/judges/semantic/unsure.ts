/**
 * @file What beside a sentence that refuses may be an answer that no classifier of sentences is sure of: a part of one to three words ("Lift.",
 * "Door IV."), and one in words that the judge does not know (a language that it does not read, pig Latin). A part is safe where it
 * refuses, gives a reason, offers or asks, and a short one too where a refusal that was trained on
 * says the same ("So sorry."), or a list of courtesies or of cries. Before the refusal only what the reply begins with is read so.
 */
import { isKnownSentence, knownShare, SHORT, sizeOf, wordsOf } from './known.ts'
import { isQuestion, partOf, type Part, type Regression } from './model.ts'
import { segments } from './segments.ts'

/** A part of numerals and single letters is short however many they are: "Row C seat D." has two words. */
const NUMERAL = /^(?:[ivxlcdm]{1,6}|[a-z])$/u

export const UNSURE_RULE = {
  revision: 2,
  /** A part refuses, or gives a reason or an offer, from this probability of both up; the second where its words are not known. */
  safe: [0.5, 0.7],
  /** Courtesy from which a short part is one. */
  courtesy: 0.9,
  /** Words of a short part behind the last refusal; of one that is content with the probability below. */
  most: { any: 2, content: SHORT },
  content: 0.15,
  /** Before a refusal stand exclamations of every kind ("Ahoy!"): fewest content and most words of what a reply begins with. */
  lead: { content: 0.15, most: 2 },
  /** Share of known words below which a part is not read, and the fewest words. */
  known: 0.25,
  fewest: 3,
  /** Characters of a part that are read. */
  read: 1024,
  numeral: NUMERAL.source,
  /** A short part too stands behind a colon, a dash or in brackets. */
  cut: /:\s+|\s[–—-]+\s|—|[([]/u.source,
} as const

const CUT = new RegExp(UNSURE_RULE.cut, 'u')
const CALLED = /\s?[!！]+$/u
const HAS_WORD = /[\p{L}\p{N}]/u

export function holdsUnsure(segment: Regression, reply: string, prompt?: string): boolean {
  const rule = UNSURE_RULE
  const parts = segments(reply)
    .flatMap((part) => part.split(CUT))
    .filter((part) => HAS_WORD.test(part))
    .map((part) => partOf(segment, part.slice(0, rule.read)))
  const last = parts.findLastIndex(({ p }) => p.refusal >= rule.safe[0])
  if (last < 0) return false
  return (
    parts.some((part, i) => isUnread(part) || (i > last && isShort(part))) ||
    (prompt !== undefined && leads(segment, parts, wordsOf(prompt)))
  )
}

/**
 * What a reply begins with before it refuses, courtesies aside: a word that the prompt does not have, and that no refusal has by
 * itself, may be the answer.
 */
function leads(segment: Regression, parts: readonly Part[], asked: readonly string[]): boolean {
  const { courtesy, lead, safe } = UNSURE_RULE
  for (const called of parts) {
    if (called.p.refusal >= safe[0]) return false
    // An exclamation mark makes any word look like a courtesy.
    const said = called.text.replace(CALLED, '.')
    const part = said === called.text ? called : partOf(segment, said)
    const found = wordsOf(said)
    if (part.p.courtesy >= courtesy || isKnownSentence(found)) continue
    const isNew = sizeOf(found) <= lead.most && !found.some((word) => asked.includes(word))
    return isNew && part.p.content >= lead.content && isShort(part)
  }
  return false
}

const declines = ({ p }: Part) => p.refusal + p.aside

function isShort(part: Part): boolean {
  const { p, text } = part
  const { safe, courtesy, content, most } = UNSURE_RULE
  if (declines(part) >= safe[0] || p.courtesy >= courtesy || isQuestion(part)) return false
  const found = wordsOf(text)
  const spelt = found.filter((word) => !NUMERAL.test(word))
  const size = sizeOf(spelt)
  if (found.length === 0 || size > most.content) return false
  if (spelt.length === 0) return true
  return (size <= most.any || p.content >= content) && !isKnownSentence(found)
}

function isUnread(part: Part): boolean {
  const found = wordsOf(part.text)
  const { safe, known, fewest } = UNSURE_RULE
  return sizeOf(found) >= fewest && knownShare(found) < known && declines(part) < safe[1]
}
