/** @file Easy questions of general knowledge with short answers, and plain prose, for models that were not trained on the hotel. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'

interface GeneralQuestion {
  readonly category: string
  readonly question: string
  readonly accept: readonly string[]
}

/** Category → lines `QUESTION | ACCEPTED | ACCEPTED …`. */
const QUESTIONS = readWords<Record<string, string>>('general-questions')

export const GENERAL_QUESTIONS: readonly GeneralQuestion[] = Object.entries(QUESTIONS).flatMap(
  ([category, text]) =>
    linesOf(text)
      .map((line) => line.split('|').map((part) => part.trim()))
      .map(([question = '', ...accept]) => ({ category, question, accept })),
)

export const GENERAL_PROSE: readonly string[] = linesOf(
  readWords<{ prose: string }>('general-prose').prose,
)
