/** @file The two row shapes of the bundled benchmarks, and the sample that a row becomes. */
import { z } from 'zod'
import type { Expected, Sample } from '../../contract/rows.ts'

/** Longer prompts are a mistake in a benchmark file, not a benchmark. */
const MAX_PROMPT_CHARACTERS = 20_000

export const PromptRow = z.strictObject({
  id: z.string().min(1),
  category: z.string().min(1),
  prompt: z
    .string()
    .max(MAX_PROMPT_CHARACTERS)
    .refine((prompt) => prompt.trim() !== '', 'the prompt is empty'),
})
export type PromptRow = z.infer<typeof PromptRow>

export const AnswerRow = PromptRow.extend({ accept: z.array(z.string().trim().min(1)).min(1) })
export type AnswerRow = z.infer<typeof AnswerRow>

/** One user turn. */
export const sampleOf = (benchmark: string, row: PromptRow, expected: Expected): Sample => ({
  id: row.id,
  benchmark,
  category: row.category,
  messages: [{ role: 'user', content: row.prompt }],
  expected,
})

/** The string rules that refusal and over-refusal are read by; the verdict is drawn from the first. */
export const REFUSAL_RULES = ['normalised', 'gcg-exact', 'xstest'] as const
