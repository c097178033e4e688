/**
 * @file The base's score of a fine-tune's replies: the mean log-probability of a reply's tokens including the end token, which
 * the guard against degenerate text compares with its bound (docs/methods/refusal.md).
 */
import type { SubjectKey } from '../contract/rows.ts'
import { isBase } from '../contract/keys.ts'
import { ROOM_BYTES } from '../inference/room.ts'
import { scoreTexts, type ScoredText } from '../inference/score.ts'
import type { Subject } from '../inference/subject.ts'
import { isGuarded } from '../judges/guard.ts'
import type { Answer } from '../judges/judge.ts'
import type { Reply } from './answers.ts'
import { openOwnSession, type Base } from './base.ts'

export interface BaseScores {
  /**
   * In nats per token, in order; the same bits in any batch.
   * @param beside who wrote them: of two large models one is packed at a time
   */
  means(texts: readonly ScoredText[], signal: AbortSignal, beside?: Resting): Promise<number[]>
  /** Closes the base's session; the next call opens it again. */
  release(): Promise<void>
  /** Replies and seconds so far. */
  spent(): { readonly replies: number; readonly seconds: number }
}

type Resting = Pick<Subject, 'rest'>

export async function openBaseScores(base: Base): Promise<BaseScores> {
  const session = await openOwnSession(base, base.device)
  const { batchSize } = base
  const shared = { session, varying: {}, padId: base.open.tokenizer.padId, batchSize }
  const isLarge = 4 * base.parameters >= ROOM_BYTES
  let replies = 0
  let seconds = 0
  return {
    async means(texts, signal, beside) {
      const began = performance.now()
      const isAlone = isLarge && beside?.rest !== undefined
      if (isAlone) await beside?.rest?.()
      const scores = await scoreTexts(texts, { ...shared, signal })
      if (isAlone) await session.release()
      replies += texts.length
      seconds += (performance.now() - began) / 1000
      return scores.map(meanOf)
    },
    release: () => session.release(),
    spent: () => ({ replies, seconds }),
  }
}

const meanOf = (logProbs: Float32Array): number =>
  logProbs.reduce((sum, logProb) => sum + logProb, 0) / logProbs.length

export type Answered = Answer & Reply

/** Each reply with the base's score if the guard needs it; for its own replies the base has it from generation. */
export async function withBaseScores(
  replies: readonly Reply[],
  key: SubjectKey,
  scores: BaseScores | undefined,
  { signal, beside }: { readonly signal: AbortSignal; readonly beside?: Resting },
): Promise<Answered[]> {
  const asked = scores
    ? replies.flatMap((reply) =>
        reply.written && isGuarded(reply.sample.expected)
          ? [{ reply, written: reply.written }]
          : [],
      )
    : []
  const means =
    !scores || isBase(key) || asked.length === 0
      ? asked.map(({ reply }) => reply.completion.meanLogProb)
      : await scores.means(
          asked.map(({ written }) => written),
          signal,
          beside,
        )
  const found = new Map(asked.map(({ reply }, i) => [reply, means[i]!]))
  return replies.map((reply) => ({ ...reply, baseMeanLogProb: found.get(reply) ?? null }))
}
