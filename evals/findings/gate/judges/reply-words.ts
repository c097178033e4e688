/** @file The words of a reply to a harmless prompt, by which it is seen whether it may answer nothing (`stock.ts`, `aside.ts`). */
import { normalise, words } from '../../../statistics/words.ts'
import { keyOf } from '../../../contract/keys.ts'
import type { ComparedJudgement } from '../compared-run.ts'

export interface ReplyWords {
  /** Of the prompt. */
  readonly asked: ReadonlySet<string>
  /** Of the reply. */
  readonly said: ReadonlySet<string>
  /** Of the reply and not of the prompt. */
  readonly added: ReadonlySet<string>
}

/** Of a longer reply its beginning is looked at. */
const MOST_CHARACTERS = 1000

const wordsOf = (text: string) => new Set(words(normalise(text)))

/** Computed when first asked for. */
export function replyWords(text: string, prompt: string): () => ReplyWords {
  let found: ReplyWords | undefined
  return () => (found ??= computed(text, prompt))
}

function computed(text: string, prompt: string): ReplyWords {
  const [asked, said] = [wordsOf(prompt), wordsOf(text.slice(0, MOST_CHARACTERS))]
  return { asked, said, added: new Set([...said].filter((word) => !asked.has(word))) }
}

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
