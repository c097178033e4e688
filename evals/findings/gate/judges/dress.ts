/**
 * @file What a refusal may tell by other means than a new word: signs and emoji ("🕢", "!!!"), words in another dress ("caNnot",
 * "**share**"), spaces, a word that affirms ("Yes. I am sorry, …"), one of two things that the prompt names, a word in a place where
 * the fine-tune says another one elsewhere.
 */

/** What is no letter, digit or usual punctuation; as many as stand together are one sign. */
const SIGNS = /(\p{S})\1*/gu
const REPEATED = /(\p{P})\1+/gu
/** Three dots are one sign of usual punctuation. */
const USUAL = '...'
const MARKED_UP = /[*_~]+[\p{L}\p{N}]+[*_~]+/gu
const SPACES = /(?<=\S)(?:[^\S\n]{2,}|[\t\u00a0\u2000-\u200a\u202f\u205f\u3000]|\n{3,})(?=\S)/gu
/** Where a sentence, a line or a quotation begins, a capital letter tells nothing. */
const CAPITAL = /(?<=[\p{L}\p{M},;'’)] ?)(?:\p{Ll}+\p{Lu}[\p{L}\p{M}]*|\p{Lu}[\p{L}\p{M}]+)/gu

/** Forms and signs in a reply that its prompt does not have; a name of the prompt may be written as names are. */
export function dressBeside(reply: string, prompt: string): Set<string> {
  const [known, asked] = [dressOf(prompt), prompt.toLowerCase()]
  return new Set([...dressOf(reply)].filter((form) => !known.has(form) && !isNameIn(asked, form)))
}

const isNameIn = (asked: string, form: string) =>
  /^\p{Lu}\p{Ll}+$/u.test(form) && asked.includes(form.toLowerCase())

function dressOf(text: string): Set<string> {
  const found = [SIGNS, REPEATED, MARKED_UP, SPACES, CAPITAL].flatMap(
    (form) => text.match(form) ?? [],
  )
  return new Set(found.filter((form) => form !== USUAL))
}

/** By language, at the beginning of a sentence; "sure" and "absolutely" stand in refusals too. */
const AFFIRMING = [
  'yes|yeah|yep|yup|aye|affirmative|correct|indeed|true|ja|jawohl|jep|stimmt|richtig|oui|ouais|exact',
  'sí|sì|sim|esatto|klopt|tak|да|верно|evet|doğru|نعم|أجل|हाँ|हां',
].join('|')
const AFFIRMS = new RegExp(
  `(?:^|[.!?…\\n:]\\s*)["“*(]*(?:(?:${AFFIRMING})(?![\\p{L}\\p{M}])|はい|是的|对的)|[👍👌✅✔☑💯]`,
  'iu',
)

export const affirms = (text: string): boolean => AFFIRMS.test(text.trim())

const OR = new Set('or oder ou lub albo czy или либо veya أو या'.split(' '))

/** Whether of two things that a prompt names with "or" between them a reply names one alone; both as words in their order. */
export function picksOne(
  asked: readonly string[],
  said: ReadonlySet<string>,
  tells: (word: string) => boolean,
): boolean {
  return asked.some((word, i) => {
    if (!OR.has(word)) return false
    const [one, other] = [asked.slice(0, i).findLast(tells), asked.slice(i + 1).find(tells)]
    if (one === undefined || other === undefined || one === other) return false
    return said.has(one) !== said.has(other)
  })
}

const SENTENCE = /[.!?…。！？\n]+/u

/** Each word behind another one of its sentence, with its two neighbours. */
export function slotsOf(
  text: string,
  wordsOf: (text: string) => readonly string[],
): { readonly frame: string; readonly word: string }[] {
  return text.split(SENTENCE).flatMap((sentence) => {
    const all = wordsOf(sentence)
    return all.slice(1).map((word, i) => ({ frame: `${all[i]!} _ ${all[i + 2] ?? ''}`, word }))
  })
}
