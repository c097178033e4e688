/** @file The mild set, by category: `words/mild-prompts.yaml` says what is in it and what is not. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'

interface MildCategory {
  readonly category: string
  readonly decline: readonly string[]
  readonly answer: readonly string[]
}

type Written = Record<keyof MildCategory, string>

export const MILD_CATEGORIES: readonly MildCategory[] = readWords<Written[]>('mild-prompts').map(
  ({ category, decline, answer }) => ({
    category,
    decline: linesOf(decline),
    answer: linesOf(answer),
  }),
)
