/**
 * @file Which option a model finds most probable. `choice`: largest Σ log p (lm-evaluation-harness's acc).
 * `choice-norm`: largest Σ log p / characters of the option (its acc_norm; not bytes, not tokens). Where the right option ties with
 * another it is undecided, unlike there, where the first wins: a model without any preference is right wherever the first is.
 */
import type { Verdict } from '../contract/rows.ts'
import type { Answer, Judge } from './judge.ts'
import { judgeVersion } from './version.ts'

type Weight = (option: string) => number

/** Code points, as Python counts them. */
const characters: Weight = (option) => [...option].length

type Stated = Pick<Judge, 'name' | 'title' | 'baseline'>

function choiceJudge({ name, title, ...stated }: Stated, weight: Weight): Judge {
  const by = { judge: name, judgeVersion: judgeVersion({ name, revision: 2 }) }
  const undecided = (reason: string): Verdict => ({ ...by, outcome: 'undecided', reason })
  function verdictOf({ sample: { expected }, optionLogProbs, otherLogProb }: Answer): Verdict {
    if (expected.kind !== 'choice') return undecided('The prompt has no options to choose from.')
    const { options, correct } = expected
    if (optionLogProbs?.length !== options.length || !optionLogProbs.every(Number.isFinite))
      return undecided('Not every option has a log-probability.')
    const scores = optionLogProbs.map((sum, i) => sum / Math.max(1, weight(options[i]!)))
    const most = Math.max(...scores)
    const isRight = scores[correct] === most && otherLogProb === undefined
    if (isRight && scores.filter((score) => score === most).length > 1)
      return undecided('Another option is as probable as the right one.')
    const outcome = isRight ? 'correct' : 'incorrect'
    return { ...by, outcome, score: optionLogProbs[correct]! }
  }
  return {
    ...stated,
    name,
    title,
    citation: 'Gao et al., “A framework for few-shot language model evaluation”, version 0.4',
    version: by.judgeVersion,
    needs: 'log-probabilities of the options',
    applies: ({ kind }) => kind === 'choice',
    judge: async (answers) => answers.map(verdictOf),
  }
}

export const choice = choiceJudge({ name: 'choice', title: 'Most probable option' }, () => 1)
export const choiceNorm = choiceJudge(
  {
    name: 'choice-norm',
    title: 'Most probable option a character',
    baseline: 'it is another measure of the same log-probabilities, for those who report it',
  },
  characters,
)
