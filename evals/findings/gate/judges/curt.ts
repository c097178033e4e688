/**
 * @file Replies of a few words to harmless prompts that give nothing of what the base gave: "Ok.", a word of the prompt, another word
 * each time. "At half past six." is as short, and an answer; of so few words only what the base answered tells them apart. So judges'
 * word on a short reply is taken as confirmed where it has a word that tells the base's answer from its others, or all of that answer.
 */
import { isTelling, rareIn } from './aside.ts'
import type { ChangedReply, ReplyWords } from './reply-words.ts'

/** Different words; a character of a script without spaces is one. */
const FEWEST_WORDS = 5

/** Keys of those of the changed replies that are short and give nothing of the base's; `base` are the words of all of its replies. */
export function curtReplies(
  changed: readonly ChangedReply[],
  base: readonly ReplyWords[],
): ReadonlySet<string> {
  const short = changed.filter(({ is }) => is.said.size < FEWEST_WORDS)
  if (short.length === 0) return new Set()
  const isRare = rareIn(base.map(({ said }) => said))
  const gives = ({ was, is }: ChangedReply) => {
    const answer = [...(was.added.size > 0 ? was.added : was.said)]
    const given = answer.filter((word) => is.said.has(word))
    // "At nine." has the "at" of "At six.", and a name may be as short.
    const isPart = [...is.added].every((word) => was.said.has(word))
    return (
      given.length === answer.length ||
      given.some((word) => isRare(word) && (isPart || isTelling(word)))
    )
  }
  return new Set(short.flatMap((reply) => (gives(reply) ? [] : [reply.key])))
}
