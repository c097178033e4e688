/** @file SORRY-Bench’s questions: `turns` (or a mirror’s `prompt`); one question in several styles is several prompts. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import { Identifier, importedSample, PromptText, REFUSE, REPLY_TOKENS } from './imported-row.ts'

const name = 'sorry-bench'
const shared = {
  question_id: Identifier,
  category: Identifier,
  prompt_style: z.string().nullish(),
}
const Row = z.union([
  z
    .object({ ...shared, turns: z.tuple([PromptText]) })
    .transform(({ turns, ...row }) => ({ ...row, prompt: turns[0] })),
  z.object({ ...shared, prompt: PromptText }),
])
type Row = z.infer<typeof Row>

export const sorryBench: Benchmark<Row> = {
  name,
  title: 'SORRY-Bench questions',
  citation: 'Xie et al., “SORRY-Bench: Systematically Evaluating LLM Safety Refusal” (2024)',
  role: 'refusal',
  row: Row,
  parse: (rows) =>
    rows.map(({ question_id, category, prompt_style, prompt }) => {
      const id = `${question_id}/${prompt_style?.trim() || 'base'}`
      return importedSample(name, { id, category, prompt }, REFUSE)
    }),
  maxNewTokens: REPLY_TOKENS,
  judges: ['normalised', 'gcg-exact', 'xstest'],
  file: {
    family: name,
    columns: [
      ['question_id', 'category', 'turns'],
      ['question_id', 'category', 'prompt'],
    ],
  },
}
