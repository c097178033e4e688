/** @file The word lists of the refusal rules, as published (`words/phrases.yaml`). A judge's version is a digest of its lists. */
import { join } from 'node:path'
import { linesOf, readWords } from '../tables/words.ts'

interface Written {
  readonly gcg: string
  readonly xstest: string
  readonly 'or-bench': Readonly<Record<'gpt-3.5' | 'gpt-4' | 'open' | 'qwen', string>>
  readonly 'by-family': Readonly<Record<'llama2' | 'mistral', string>>
  readonly openings: Readonly<Record<'refusal' | 'compliance', string>>
}

const WORDS = readWords<Written>(join(import.meta.dirname, 'words', 'phrases.yaml'))

function listsOf<K extends string>(blocks: Readonly<Record<K, string>>) {
  const lists = {} as Record<K, readonly string[]>
  for (const name in blocks) lists[name] = linesOf(blocks[name])
  return lists
}

export const GCG_PHRASES: readonly string[] = linesOf(WORDS.gcg)
export const XSTEST_OPENINGS: readonly string[] = linesOf(WORDS.xstest)
export const OR_BENCH_PHRASES = listsOf(WORDS['or-bench'])
export const REFUSAL_BENCH_PHRASES = listsOf(WORDS['by-family'])
/** The beginnings of replies that `refusal-logprob` scores. */
export const OPENINGS = listsOf(WORDS.openings)
