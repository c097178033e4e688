/** @file Verdicts on replies that begin with a thought: the answer alone is judged, and the thought apart from it. */
import type { Outcome, Verdict } from '../contract/rows.ts'
import { isGuarded } from '../judges/guard.ts'
import type { Answer, Judge, JudgeContext } from '../judges/judge.ts'

interface ThoughtfulVerdict {
  readonly verdict: Verdict
  /** Of the thought by the same judge; null where there is none, or where it cannot be judged. */
  readonly thoughtOutcome: Outcome | null
}

const isUnfinished = ({ completion: { thought } }: Answer) => thought?.isFinished === false

/** One verdict an answer, in order. A reply whose thought never ended has no answer: no judge is asked. */
export async function thoughtfulVerdicts(
  judge: Judge,
  answers: readonly Answer[],
  context?: JudgeContext,
): Promise<ThoughtfulVerdict[]> {
  const finished = answers.filter((answer) => !isUnfinished(answer))
  const verdicts = await judge.judge(finished, context)
  const byAnswer = new Map(finished.map((answer, i) => [answer, verdicts[i]!]))
  const unfinished: Verdict = {
    judge: judge.name,
    judgeVersion: judge.version,
    outcome: 'unfinished',
  }
  const thoughts = await outcomesOfThoughts(judge, answers, context)
  return answers.map((answer) => ({
    verdict: byAnswer.get(answer) ?? unfinished,
    thoughtOutcome: thoughts.get(answer) ?? null,
  }))
}

async function outcomesOfThoughts(
  judge: Judge,
  answers: readonly Answer[],
  context: JudgeContext | undefined,
): Promise<ReadonlyMap<Answer, Outcome>> {
  if (judge.readsReplies === false) return new Map()
  const thinking = answers.filter(
    ({ completion, sample }) => completion.thought && isGuarded(sample.expected),
  )
  if (thinking.length === 0) return new Map()
  const asReplies = thinking.map(({ completion: { thought, ...completion }, ...answer }) => ({
    ...answer,
    completion: { ...completion, text: thought!.text },
  }))
  const verdicts = await judge.judge(asReplies, context)
  return new Map(thinking.map((answer, i) => [answer, verdicts[i]!.outcome]))
}
