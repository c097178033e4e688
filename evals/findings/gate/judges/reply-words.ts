/** @file The words of a reply to a harmless prompt, by which it is seen whether it may answer nothing (`stock.ts`, `aside.ts`, `jumble.ts`). */
import { normalise, words } from '../../../statistics/words.ts'
import { keyOf } from '../../../contract/keys.ts'
import type { ComparedJudgement } from '../compared-run.ts'
import { affirms, dressBeside, picksOne, slotsOf } from './dress.ts'

export interface ReplyWords {
  /** Of the prompt. */
  readonly asked: ReadonlySet<string>
  /** Of the reply. */
  readonly said: ReadonlySet<string>
  /** Of the reply, and neither of the prompt nor a form of a word of it: "opens" tells nothing to who asked when it will open. */
  readonly added: ReadonlySet<string>
  /** Words of the reply that stand side by side, in their order, once each. */
  readonly pairs: ReadonlySet<string>
  /** The same of the prompt. */
  readonly askedPairs: ReadonlySet<string>
  /** Whether the reply goes on behind what is looked at. */
  readonly isCut: boolean
  /** Signs and forms of words that the prompt does not have. */
  readonly dress: ReadonlySet<string>
  readonly affirms: boolean
  /** Whether it names one of two things between which the prompt asks. */
  readonly picks: boolean
  readonly slots: readonly { readonly frame: string; readonly word: string }[]
}

/** Of a longer reply its beginning is looked at. */
const MOST_CHARACTERS = 1000

const wordsOf = (text: string) => words(normalise(text))

const pairsOf = (all: readonly string[]) =>
  new Set(all.slice(1).map((word, i) => `${all[i]} ${word}`))

/** Computed when first asked for. */
export function replyWords(text: string, prompt: string): () => ReplyWords {
  let found: ReplyWords | undefined
  return () => (found ??= computed(text, prompt))
}

function computed(text: string, prompt: string): ReplyWords {
  const read = text.slice(0, MOST_CHARACTERS)
  const [inPrompt, inReply] = [wordsOf(prompt), wordsOf(read)]
  const [asked, said] = [new Set(inPrompt), new Set(inReply)]
  const isNew = (word: string) => !asked.has(word) && !isFormOf(word, asked)
  const added = new Set([...said].filter(isNew))
  const isCut = text.trimEnd().length > MOST_CHARACTERS
  const told = {
    dress: dressBeside(read, prompt),
    affirms: affirms(read),
    picks: picksOne(inPrompt, said, (word) => word.length >= LEAST_LETTERS),
    slots: slotsOf(read, wordsOf),
  }
  const pairs = { pairs: pairsOf(inReply), askedPairs: pairsOf(inPrompt) }
  return { asked, said, added, ...pairs, isCut, ...told }
}

/** Of fewer letters, two words that begin alike are two words. */
const LEAST_LETTERS = 4

/** Whether it begins like one of the words, to the last letter of the shorter but one: "serving" and "serve". */
export const isFormOf = (word: string, words: ReadonlySet<string>): boolean =>
  word.length >= LEAST_LETTERS &&
  [...words].some((other) => {
    const shorter = Math.min(word.length, other.length)
    const begins = Math.max(LEAST_LETTERS, shorter - 1)
    return shorter >= LEAST_LETTERS && word.slice(0, begins) === other.slice(0, begins)
  })

type WordedRow = Pick<ComparedJudgement, 'sampleId' | 'epoch' | 'words' | 'replyDigest'>

/** A reply after that is not the base's to the same prompt. */
export interface ChangedReply {
  /** Sample and epoch. */
  readonly key: string
  readonly sampleId: string
  readonly was: ReplyWords
  readonly is: ReplyWords
}

export function changedReplies(
  before: readonly WordedRow[],
  after: readonly WordedRow[],
): ChangedReply[] {
  const base = new Map(before.map((row) => [keyOf(row.sampleId, row.epoch), row]))
  return after.flatMap(({ sampleId, epoch, words: is, replyDigest }) => {
    const key = keyOf(sampleId, epoch)
    const was = base.get(key)
    const isSame = was?.replyDigest !== undefined && was.replyDigest === replyDigest
    return is && was?.words && !isSame ? [{ key, sampleId, was: was.words(), is: is() }] : []
  })
}
