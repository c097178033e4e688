/** @file Every judge, in the order in which lists show them. */
import { findNamed } from '../errors/names.ts'
import { answerMatch } from './answer-match.ts'
import { choice, choiceNorm } from './choice.ts'
import type { Judge } from './judge.ts'
import { refusalLogprob } from './refusal-logprob.ts'
import { REFUSAL_JUDGES } from './refusal-judges.ts'

export const JUDGES: readonly Judge[] = [
  ...REFUSAL_JUDGES,
  refusalLogprob,
  answerMatch,
  choice,
  choiceNorm,
]

/** The judge of that name; an unknown one is the user's slip and is answered with near names. */
export const findJudge = (name: string): Judge => findNamed('judge', JUDGES, name)
