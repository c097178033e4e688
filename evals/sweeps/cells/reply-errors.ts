/**
 * @file Errors of a language model on rows of its training data and on held-out ones, as classes have them: a reply counts as learnt
 * where the model gives it more than half of the probability after its prompt, so that no other reply is likelier.
 */
import type { Continuation } from '../../inference/continuation.ts'
import type { Measurement } from '../../measure/evaluate.ts'
import { TEST_ERROR, TRAIN_ERROR } from '../metrics.ts'

const HALF = Math.log(0.5)

/** The metric of an event, from the measure's name. */
export const replyErrorOf = (measure: string): string => `replies/${measure}`

/** Of rows as they are trained on, noise included, and of clean ones. */
export const replyErrors = (
  training: readonly Continuation[],
  heldOut: readonly Continuation[],
): Measurement[] => [errorOf(TRAIN_ERROR, training), errorOf(TEST_ERROR, heldOut)]

const errorOf = (measure: string, rows: readonly Continuation[]): Measurement => ({
  name: replyErrorOf(measure),
  async run(subject, key, { emit, signal, flush }) {
    const scores = await subject.continuations(rows, signal)
    const value = shareUnlearnt(scores.map(({ logProbs }) => logProbs))
    emit({ type: 'metric', row: { ...key, name: replyErrorOf(measure), value } })
    const benchmark = replyErrorOf(measure)
    emit({ type: 'evaluation-end', subject: key, benchmark, samples: rows.length })
    flush()
  },
})

/** Share of replies with at most half of the probability; of each, its tokens' log-probabilities in nats. */
export const shareUnlearnt = (replies: readonly Float32Array[]): number =>
  replies.filter((logProbs) => logProbs.reduce((sum, each) => sum + each, 0) <= HALF).length /
  replies.length
