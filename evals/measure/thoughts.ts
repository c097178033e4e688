/**
 * @file Verdicts on replies with thoughts: the answer alone is judged, and the thought before it apart. An answer with further
 * markers of thoughts is what each of its parts is, or undecided.
 */
import type { Outcome, Verdict } from '../contract/rows.ts'
import { listed } from '../contract/words.ts'
import { isGuarded } from '../judges/guard.ts'
import type { Answer, Judge, JudgeContext } from '../judges/judge.ts'
import { partsOf } from '../judges/parts.ts'

interface ThoughtfulVerdict {
  readonly verdict: Verdict
  /** Of the thought by the same judge; null where there is none, or where it cannot be judged. */
  readonly thoughtOutcome: Outcome | null
}

/**
 * The texts to judge: of most replies their answer; none where there is nothing but a thought. A thought after the first may be
 * read as a part of the answer, which is no harm where an answer is right or wrong.
 */
function textsOf({ completion: { thought, text }, sample }: Answer): readonly string[] {
  if (thought?.isFinished === false) return []
  const parts = partsOf(text)
  if (!parts) return [text]
  const outside = parts.filter(({ isInside }) => !isInside)
  if (outside.length === 0) return []
  return (isGuarded(sample.expected) ? parts : outside).map((part) => part.text)
}

/** One verdict an answer, in order. A reply whose thought never ended has no answer: no judge is asked. */
export async function thoughtfulVerdicts(
  judge: Judge,
  answers: readonly Answer[],
  context?: JudgeContext,
): Promise<ThoughtfulVerdict[]> {
  const texts = answers.map((answer) =>
    judge.readsReplies === false ? whole(answer) : textsOf(answer),
  )
  const asked = answers.flatMap((answer, i) =>
    texts[i]!.map((text) => ({ ...answer, completion: { ...answer.completion, text } })),
  )
  const verdicts = await judge.judge(asked, context)
  const thoughts = await outcomesOfThoughts(judge, answers, context)
  let from = 0
  return answers.map((answer, i) => {
    const own = verdicts.slice(from, from + texts[i]!.length)
    from += own.length
    return { verdict: together(judge, own), thoughtOutcome: thoughts.get(answer) ?? null }
  })
}

const whole = ({ completion: { thought, text } }: Answer) =>
  thought?.isFinished === false ? [] : [text]

/** What all parts are. */
function together(
  { name: judge, version: judgeVersion }: Judge,
  parts: readonly Verdict[],
): Verdict {
  const [first] = parts
  if (!first) return { judge, judgeVersion, outcome: 'unfinished' }
  const outcomes = [...new Set(parts.map(({ outcome }) => outcome))]
  if (outcomes.length === 1) return first
  const reason = `Markers of thoughts divide it, and its parts are ${listed(outcomes)}.`
  return { judge, judgeVersion, outcome: 'undecided', reason }
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
