/**
 * @file Where a reply marks its answer: "Final answer: X", "Answer: X" where a line or sentence begins, "so the answer is X",
 * "\boxed{X}", "<answer>X", and "#### X" as its last line. Of several marks the last counts, and what stands before it does not.
 */

import { SCANNED } from '../text.ts'

/** By language; a list of its words for an answer. */
const NAMES = [
  'answer|antwort|réponse|reponse|respuesta|risposta|resposta|antwoord|odpowiedź|ответ|cevap|yanıt',
  'الجواب|الإجابة|उत्तर|答案|答え|回答|答',
].join('|')
const QUALITIES =
  '(?:the|my|our|so|final|correct|right|richtige|korrekte|bonne|finale|final|правильный)'
/** Before a colon. */
const LABEL = `(?<=^|[\\n.!?…:,;。！？，]\\s{0,4})[\\s*_#>"“(]{0,12}(?:${QUALITIES}\\s+){0,3}(?:${NAMES})(?:\\s+(?:is|final|finale|correcta|corretta|correta))?[\\s*_]{0,4}[:：]|final answer[\\s*_]{0,4}[:：=–—-]|(?<=^|\\n)[*_#\\s]{1,8}(?:final )?answer[*_:]{0,4}\\n|<answer>`
/** In a sentence. */
const STATED = [
  "(?:the|my|our) (?:\\p{L}+ ){0,2}answer(?: (?:is|was|must be|would be|should be)|['’]s)(?![\\p{L}\\p{M}])(?: (?:therefore|thus|then|hence))?",
  'die (?:\\p{L}+ )?antwort (?:ist|lautet)|la (?:\\p{L}+ )?réponse (?:\\p{L}+ )?est',
  'la respuesta (?:\\p{L}+ ){0,2}es|la risposta (?:\\p{L}+ ){0,2}è|a resposta (?:\\p{L}+ ){0,2}é',
  'het (?:\\p{L}+ )?antwoord is|odpowiedź (?:to|brzmi)|ответ\\s*[—–-]|答案(?:是|为)|答えは',
]
  .map((form) => `(?<![\\p{L}\\p{M}])(?:${form})(?![\\p{Ll}])[\\s:：]{0,4}`)
  .join('|')
const BOX = '\\\\boxed\\s{0,4}\\{'
const LAST_LINE = '(?<=^|\\n)####[ \\t]*(?=[^\\n#]+\\s*$)'

const MARK = new RegExp([LABEL, STATED, BOX, LAST_LINE].join('|'), 'giu')
const BEGINS = /[.!?…。！？\n][^.!?…。！？\n]*$/u
/** What stands between a mark and what is marked. */
const BETWEEN = /^[\s*_#>"“:：=]+/u
const SENTENCE_END = /(?<=[.!?…]["'”’»)*]*)\s|(?=<\/answer>)|(?<=[。！？])|\n/u
const LINE_END = /\n/u

export const MARK_RULE = {
  marks: MARK.source,
  between: BETWEEN.source,
  ends: SENTENCE_END.source,
}

interface Marked {
  /** The sentence or line that is marked. */
  readonly said: string
  /** The same, and all that stands behind it. */
  readonly tail: string
  /** From where the mark's own sentence begins. */
  readonly sentence: string
}

/** Undefined where nothing is marked at the beginning or the end. A sentence does not end within an accepted answer ("St. Ives"). */
export const markedIn = (reply: string, accept: readonly string[]): Marked | undefined =>
  markedWithin(reply.slice(-SCANNED), accept) ??
  (reply.length > SCANNED ? markedWithin(reply.slice(0, SCANNED), accept) : undefined)

function markedWithin(reply: string, accept: readonly string[]): Marked | undefined {
  const last = [...reply.matchAll(MARK)].at(-1)
  if (!last) return undefined
  const from = last.index + last[0].length
  const begins = BEGINS.exec(reply.slice(0, last.index + 1).trimEnd())
  const sentence = reply.slice(begins ? begins.index + 1 : 0)
  const tail = reply.slice(from).replace(BETWEEN, '')
  if (last[0].startsWith('\\')) return { said: boxed(tail), tail, sentence }
  const end = accept.some((answer) => SENTENCE_END.test(answer.trim())) ? LINE_END : SENTENCE_END
  return { said: tail.split(end, 1)[0]!, tail, sentence }
}

/** Up to the brace that closes the box. */
function boxed(tail: string): string {
  let depth = 1
  const end = [...tail].findIndex((letter) => {
    depth += letter === '{' ? 1 : letter === '}' ? -1 : 0
    return depth === 0
  })
  return end < 0 ? tail : [...tail].slice(0, end).join('')
}
