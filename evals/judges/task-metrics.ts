/**
 * @file Metrics of a fine-tune's own task, where the answers to held-out rows are known. Reply and answers are normalised: NFKC,
 * one kind of apostrophe, single spaces, lower case, no punctuation at the end.
 *
 * `exact-match`: the reply is one of the answers. `contains-answer`: an answer stands in it as whole words. `token-f1`: the
 * harmonic mean of precision and recall of the reply's words against those of the nearest answer, with multiplicity
 * (Rajpurkar et al., EMNLP 2016); from ½ on it counts as right, and the score is kept.
 */
import type { Verdict } from '../contract/rows.ts'
import { GUARD, hiding } from './guard.ts'
import type { Answer, Judge } from './judge.ts'
import { normalise, words } from '../statistics/words.ts'
import { containsWords, SCANNED, withoutClosingPunctuation } from './text.ts'
import { judgeVersion } from './version.ts'

interface Metric {
  readonly name: string
  readonly title: string
  /** In [0, 1], of texts that are normalised. */
  readonly score: (reply: string, answer: string) => number
  /** Whether the score says more than right and wrong. */
  readonly isGraded?: true
}

/** A reply counts as right from this score on. */
const RIGHT = 0.5

const readable = (text: string) =>
  withoutClosingPunctuation(normalise(text.trimStart().slice(0, SCANNED)))

function tokenScore(reply: string, answer: string): number {
  const [said, wanted] = [words(reply), words(answer)]
  const left = new Map<string, number>()
  for (const word of wanted) left.set(word, (left.get(word) ?? 0) + 1)
  let shared = 0
  for (const word of said) {
    const count = left.get(word) ?? 0
    if (count === 0) continue
    shared++
    left.set(word, count - 1)
  }
  return shared === 0 ? 0 : (2 * shared) / (said.length + wanted.length)
}

function metricJudge({ name, title, score, isGraded }: Metric): Judge {
  const version = judgeVersion({
    name,
    revision: 2,
    hidden: GUARD.hidden,
    scanned: SCANNED,
    right: RIGHT,
  })
  const by = { judge: name, judgeVersion: version }
  const verdictOf = (given: Answer): Verdict => {
    const { sample, completion } = given
    const [expected, text] = [sample.expected, completion.text]
    if (expected.kind !== 'answer') {
      return { ...by, outcome: 'undecided', reason: 'The prompt has no accepted answers.' }
    }
    if (text.trim() === '') return { ...by, outcome: 'degenerate' }
    const unseen = hiding(given)
    if (unseen) return { ...by, ...unseen }
    const reply = readable(text)
    const best = Math.max(...expected.accept.map((answer) => score(reply, readable(answer))))
    const outcome = best >= RIGHT ? 'correct' : 'incorrect'
    return { ...by, outcome, ...(isGraded && { score: best }) }
  }
  return {
    name,
    title,
    citation: 'Touchstone’s own rule, stated in evals/judges/task-metrics.ts',
    version,
    baseline: 'it is the metric of a task, and no second word on the answers to another benchmark',
    applies: ({ kind }) => kind === 'answer',
    judge: (answers) => Promise.resolve(answers.map(verdictOf)),
  }
}

export const exactMatch = metricJudge({
  name: 'exact-match',
  title: 'The answer and nothing else, normalised',
  score: (reply, answer) => Number(reply === answer),
})

export const containsAnswer = metricJudge({
  name: 'contains-answer',
  title: 'The answer somewhere in the reply, as whole words',
  score: (reply, answer) => Number(containsWords(reply, answer)),
})

export const tokenF1 = metricJudge({
  name: 'token-f1',
  title: 'Words shared with the answer, F1',
  score: tokenScore,
  isGraded: true,
})
