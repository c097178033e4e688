/** @file What the semantic judge knows of words: those of two or more of the texts that it is trained on, the short sentences of refusals, courtesies, cries, and pairs of words. */
import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { filterOf } from '../../judges/semantic/bloom.ts'
import { sentenceEntry, SHORT, sizeOf, wordsOf } from '../../judges/semantic/known.ts'
import { pairsOf } from '../../judges/semantic/order.ts'
import { segments } from '../../judges/semantic/segments.ts'
import { readWords } from '../../tables/words.ts'
import { trainingReplies } from './corpus.ts'

const WORD_BITS = 2 ** 20
const PAIR_BITS = 2 ** 22

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

interface Lexicon {
  readonly words: Uint8Array
  readonly pairs: Uint8Array
}

/** What `known.ts` and `order.ts` know, as the bytes of their files. */
export function lexicon(): Lexicon {
  const { first, writers } = trainingReplies()
  const replies = [...first, ...writers]
  const frames = readdirSync(FRAMES).map((file) => readFileSync(join(FRAMES, file), 'utf8'))
  const whole = replies.flatMap(({ text, prompt = '' }) => [text, prompt])
  const known = wordsOfTwo([...frames, ...whole].flatMap((text) => [...new Set(wordsOf(text))]))
  const refusals = replies.filter(({ outcome }) => outcome === 'refusal')
  const short = refusals
    .flatMap(({ text }) => segments(text).map(wordsOf))
    .filter((found) => sizeOf(found) <= SHORT)
  const listed = LISTS.flatMap((file) => Object.values(readWords<Record<string, string>>(file)))
    .flatMap((line) => line.split(','))
    .map(wordsOf)
  const pairs = whole.flatMap((text) => pairsOf(text, (word) => known.has(word)).flat())
  return {
    words: filterOf([...known, ...[...short, ...listed].map(sentenceEntry)], WORD_BITS),
    pairs: filterOf(pairs, PAIR_BITS),
  }
}
