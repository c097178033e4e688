/** @file Every judge, in display order: rules by their name, and judges that ask a model. */
import { findNamed } from '../errors/names.ts'
import { answerMatch } from './answer-match.ts'
import { choice, choiceNorm } from './choice.ts'
import { classifier } from './classifier.ts'
import type { Judge } from './judge.ts'
import type { ModelJudgeChoice, ModelJudgeKind } from './model-judge.ts'
import { nearness } from './nearness.ts'
import { refusalLogprob } from './refusal-logprob.ts'
import { REFUSAL_JUDGES } from './refusal-judges.ts'
import { rubric } from './rubric.ts'
import { semantic } from './semantic/semantic.ts'
import { containsAnswer, exactMatch, tokenF1 } from './task-metrics.ts'

export const JUDGES: readonly Judge[] = [
  ...REFUSAL_JUDGES,
  semantic,
  refusalLogprob,
  answerMatch,
  exactMatch,
  containsAnswer,
  tokenF1,
  choice,
  choiceNorm,
  nearness,
]

/** By which a fine-tune's own task may be scored; the first where none is named. */
export const TASK_METRICS = [exactMatch, containsAnswer, tokenF1, answerMatch, choice].map(
  ({ name }) => name,
)
/** That of rows whose answers are options. */
export const CHOICE_METRIC = choice.name

export const MODEL_JUDGES: readonly ModelJudgeKind[] = [classifier, rubric]

/** Throws for an unknown name, with near names. */
export const findJudge = (name: string): Judge => findNamed('judge', JUDGES, name)

const CHOICE = /^(?<name>[a-z-]+)=(?<model>.+?)(?:@(?<file>[^@]+\.json))?$/u

/** The kind and choice of a judge that asks a model, `NAME=MODEL[@FILE.json]`; undefined for other texts. */
export function modelJudgeIn(
  text: string,
): { readonly kind: ModelJudgeKind; readonly choice: ModelJudgeChoice } | undefined {
  const { name, model, file = null } = CHOICE.exec(text)?.groups ?? {}
  const kind = MODEL_JUDGES.find((each) => each.name === name)
  return kind && { kind, choice: { text, model: model!, file } }
}
