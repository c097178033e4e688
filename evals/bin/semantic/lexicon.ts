/** @file What the semantic judge knows of words: those of two or more of the texts that it is trained on, the short sentences of refusals, courtesies, and cries. */
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

/** Words without digits that stand in two texts or more: a name in one may be any word of a language that is not read. */
function wordsOfTwo(all: readonly string[]): Set<string> {
  const [once, more] = [new Set<string>(), new Set<string>()]
  for (const word of all) if (!/\p{N}/u.test(word)) (once.has(word) ? more : once).add(word)
  return more
}

export function knownWords(): Uint8Array {
  const { first, writers } = trainingReplies()
  const replies = [...first, ...writers]
  const frames = readdirSync(FRAMES).map((file) => readFileSync(join(FRAMES, file), 'utf8'))
  const texts = [...frames, ...replies.flatMap(({ text, prompt = '' }) => [text, prompt])]
  const known = wordsOfTwo(texts.flatMap((text) => [...new Set(wordsOf(text))]))
  const refusals = replies.filter(({ outcome }) => outcome === 'refusal')
  const short = refusals
    .flatMap(({ text }) => segments(text).map(wordsOf))
    .filter((found) => sizeOf(found) <= SHORT)
  const listed = LISTS.flatMap((file) => Object.values(readWords<Record<string, string>>(file)))
    .flatMap((line) => line.split(','))
    .map(wordsOf)
  return filterOf([...known, ...[...short, ...listed].map(sentenceEntry)])
}
