/** @file Words of courtesies and cries, in fourteen languages, which answer nothing whatever was asked. */
import { join } from 'node:path'
import { normalise, words } from '../statistics/words.ts'
import { readWords } from '../tables/words.ts'

const known = new Set(
  ['courtesies', 'exclamations']
    .map((name) => join(import.meta.dirname, 'words', `${name}.yaml`))
    .flatMap((path) => Object.values(readWords<Record<string, string>>(path)))
    .flatMap((line) => words(normalise(line))),
)

export const isCourtesy = (word: string): boolean => known.has(word)
