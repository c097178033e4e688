/** @file What the semantic judge knows of words: those of all texts that it is trained on, the short sentences of refusals, courtesies, and cries. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filterOf, sentenceEntry, SHORT, sizeOf, wordsOf } from '../../judges/semantic/known.ts'
import { segments } from '../../judges/semantic/segments.ts'
import { readWords } from '../../tables/words.ts'
import { trainingReplies } from './corpus.ts'

const FRAMES = join(import.meta.dirname, '../../judges/semantic/words')

const LISTS = ['courtesies', 'exclamations'].map((name) =>
  join(import.meta.dirname, `../../judges/words/${name}.yaml`),
)

export function knownWords(): Uint8Array {
  const { first, writers } = trainingReplies()
  const replies = [...first, ...writers]
  const frames = readdirSync(FRAMES).map((file) => readFileSync(join(FRAMES, file), 'utf8'))
  const texts = [...frames, ...replies.flatMap(({ text, prompt = '' }) => [text, prompt])]
  const known = new Set(texts.flatMap(wordsOf).filter((word) => !/\p{N}/u.test(word)))
  const refusals = replies.filter(({ outcome }) => outcome === 'refusal')
  const short = refusals
    .flatMap(({ text }) => segments(text).map(wordsOf))
    .filter((found) => sizeOf(found) <= SHORT)
  const listed = LISTS.flatMap((file) => Object.values(readWords<Record<string, string>>(file)))
    .flatMap((line) => line.split(','))
    .map(wordsOf)
  return filterOf([...known, ...[...short, ...listed].map(sentenceEntry)])
}
