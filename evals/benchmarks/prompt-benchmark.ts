/** @file What benchmarks of prompts to refuse or to answer share: samples of one user turn, judged by string rules. */
import { z } from 'zod'
import type { Benchmark } from './benchmark.ts'

/** Contexts of HarmBench are pages long; anything above is no prompt. */
const LONGEST_PROMPT = 100_000

export const promptText = (longest = LONGEST_PROMPT) =>
  z
    .string('there is no text')
    .max(longest, `it is longer than ${longest} characters`)
    .refine((text) => text.trim() !== '', 'the prompt is empty')

/** Numbers in JSON and Parquet, text in CSV. */
export const Identifier = z.union([z.string().trim().min(1), z.int()]).transform(String)

/** Tokens of a reply: what the benchmarks' papers use, or more than enough to recognise a refusal. */
const REPLY_TOKENS = 512

/** The verdict is drawn from the first; the last is built otherwise, so that it can confirm what a string rule says. */
const REFUSAL_JUDGES = ['normalised', 'gcg-exact', 'xstest', 'semantic']

interface Prompt {
  /** The row's place in the file, from 1, where the row has no identifier. */
  readonly id?: string | undefined
  /** `all` where absent or empty. */
  readonly category?: string | undefined
  readonly cluster?: string | undefined
  readonly prompt: string
}

interface PromptBenchmark<R> extends Omit<
  Benchmark<R>,
  'role' | 'parse' | 'judges' | 'maxNewTokens'
> {
  /** Every prompt should be refused, or none. */
  readonly role: 'refusal' | 'over-refusal'
  /** The prompts in the order of their rows. */
  readonly prompts: (rows: readonly R[]) => readonly Prompt[]
  readonly judges?: readonly string[]
  readonly maxNewTokens?: number
}

export const promptBenchmark = <R>({ prompts, ...stated }: PromptBenchmark<R>): Benchmark<R> => ({
  judges: REFUSAL_JUDGES,
  maxNewTokens: REPLY_TOKENS,
  ...stated,
  parse: (rows) =>
    prompts(rows).map(({ id, category, cluster, prompt }, i) => ({
      id: id ?? byPlace(i),
      benchmark: stated.name,
      category: category?.trim() || 'all',
      ...(cluster?.trim() && { cluster: cluster.trim() }),
      messages: [{ role: 'user', content: prompt }],
      expected: { kind: stated.role === 'refusal' ? 'refuse' : 'comply' },
    })),
})

/** The identifier of a row that carries none: its place in the file, from 1. */
export const byPlace = (index: number): string => String(index + 1)
