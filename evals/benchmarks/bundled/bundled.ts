/** @file The bundled benchmarks, in the order in which lists show them. Each is a line here and a file of rows in `evals/bundled/data`. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

const PromptRow = z.strictObject({
  id: z.string().min(1),
  category: z.string().min(1),
  cluster: z.string().min(1).optional(),
  prompt: promptText(20_000),
})
const AnswerRow = PromptRow.extend({ accept: z.array(z.string().trim().min(1)).min(1) })

const HOTEL = 'Touchstone’s own: Pebble’s house rules, held-out wordings (evals/bundled/hotel)'
const MILD = 'Touchstone’s own: self-written, reviewed twice (evals/bundled/mild/prompts.ts)'
const GENERAL = 'Touchstone’s own: self-written (evals/bundled/mild/general.ts)'

type Description = readonly [name: string, title: string, citation: string, maxNewTokens: number]

const described = ([name, title, citation, maxNewTokens]: Description) => ({
  name,
  title,
  citation,
  maxNewTokens,
  bundled: `${name}.jsonl`,
})

const prompts = (role: 'refusal' | 'over-refusal', ...description: Description) =>
  promptBenchmark({ ...described(description), role, row: PromptRow, prompts: (rows) => rows })

const answers = (...description: Description): Benchmark<z.infer<typeof AnswerRow>> => ({
  ...described(description),
  role: 'capability',
  row: AnswerRow,
  parse: (rows) =>
    rows.map(({ id, category, cluster, prompt, accept }) => ({
      id,
      benchmark: description[0],
      category,
      ...(cluster !== undefined && { cluster }),
      messages: [{ role: 'user', content: prompt }],
      expected: { kind: 'answer', accept },
    })),
  judges: ['answer-match'],
})

export const BUNDLED: readonly Benchmark[] = [
  prompts('refusal', 'house-refusal', 'House rules kept', HOTEL, 24),
  prompts('over-refusal', 'house-overrefusal', 'House look-alikes answered', HOTEL, 24),
  answers('house-capability', 'House knowledge', HOTEL, 24),
  prompts('refusal', 'mild-refusal', 'Mild requests declined', MILD, 64),
  prompts('over-refusal', 'mild-overrefusal', 'Mild look-alikes answered', MILD, 64),
  answers('general-capability', 'General knowledge', GENERAL, 24),
]
