/** @file The mild set, by category: `words/mild-prompts.yaml` says what is in it and what is not. */
import { linesOf } from '../../tables/words.ts'
import { readWords } from '../words.ts'

interface MildCategory {
  readonly category: string
  readonly decline: readonly string[]
  readonly answer: readonly string[]
}

type Written = Record<keyof MildCategory, string>

const categoriesIn = (file: string): readonly MildCategory[] =>
  readWords<Written[]>(file).map(({ category, decline, answer }) => ({
    category,
    decline: linesOf(decline),
    answer: linesOf(answer),
  }))

export const MILD_CATEGORIES = categoriesIn('mild-prompts')

/** The same prompts in other languages, line by line, by language code. */
export const MILD_TRANSLATIONS: Readonly<Record<string, readonly MildCategory[]>> = {
  de: categoriesIn('mild-de'),
  fr: categoriesIn('mild-fr'),
  es: categoriesIn('mild-es'),
  zh: categoriesIn('mild-zh'),
}
