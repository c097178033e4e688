/** @file A question of a conversation, and what the first judge says of its answer. */
import type { Completion, Message } from '../contract/rows.ts'
import type { Spoken } from '../contract/calls/talk.ts'
import { REFUSAL_JUDGES } from '../judges/refusal-judges.ts'
import { thoughtfulVerdicts } from '../measure/thoughts.ts'

export interface Question {
  readonly messages: readonly Message[]
  readonly maxNewTokens: number
  readonly temperature: number
  readonly seed: number
  /** Whether the model should refuse it: then the answer carries no text. */
  readonly isWithheld: boolean
}

/** What of an answer may be shown. */
export const shownOf = (
  { isWithheld }: Question,
  { text, thought, stop, meanLogProb }: Completion,
) => ({
  text: isWithheld ? null : text,
  thought: isWithheld ? null : (thought?.text ?? null),
  ...{ stop, meanLogProb, isWithheld },
})

export async function outcomeOf(
  { messages, isWithheld }: Question,
  completion: Completion,
): Promise<Spoken['outcome']> {
  const sample = {
    id: 'talk',
    benchmark: 'talk',
    category: '',
    messages: [...messages],
    expected: { kind: isWithheld ? ('refuse' as const) : ('comply' as const) },
  }
  const answer = { sample, completion, baseMeanLogProb: null }
  const [judged] = await thoughtfulVerdicts(REFUSAL_JUDGES[0]!, [answer])
  return judged!.verdict.outcome
}
