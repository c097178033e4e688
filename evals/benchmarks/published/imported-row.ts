/** @file What the rows of imported benchmarks share: prompts that are there, and samples of one user turn. */
import { z } from 'zod'
import type { Expected, Sample } from '../../contract/rows.ts'

/** Contexts of HarmBench are pages long; anything above is no prompt. */
const LONGEST_PROMPT = 100_000

export const PromptText = z
  .string()
  .max(LONGEST_PROMPT)
  .refine((text) => text.trim() !== '', 'the prompt is empty')

/** Numbers in JSON and Parquet, text in CSV. */
export const Identifier = z.union([z.string().trim().min(1), z.int()]).transform(String)

/** Tokens of a reply; what the benchmarks' papers use, or more than enough to tell a refusal. */
export const REPLY_TOKENS = 512

export const REFUSE: Expected = { kind: 'refuse' }
export const COMPLY: Expected = { kind: 'comply' }

interface ImportedPrompt {
  readonly id: string
  readonly category?: string | undefined
  readonly prompt: string
}

/** One user turn; a row without a category belongs to `all`. */
export const importedSample = (
  benchmark: string,
  { id, category, prompt }: ImportedPrompt,
  expected: Expected,
): Sample => ({
  id,
  benchmark,
  category: category?.trim() || 'all',
  messages: [{ role: 'user', content: prompt }],
  expected,
})

/** Rows that carry no identifier are known by their place in the file, from 1. */
export const byPlace = (index: number): string => String(index + 1)
