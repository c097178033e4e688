/** @file SORRY-Bench’s questions: `turns` (or a mirror’s `prompt`); one question in several styles is several prompts. */
import { z } from 'zod'
import { Identifier, promptBenchmark, promptText } from '../prompt-benchmark.ts'

const shared = {
  question_id: Identifier,
  category: Identifier,
  prompt_style: z.string().nullish(),
}
const Row = z.union([
  z
    .object({ ...shared, turns: z.tuple([promptText()]) })
    .transform(({ turns, ...row }) => ({ ...row, prompt: turns[0] })),
  z.object({ ...shared, prompt: promptText() }),
])

export const sorryBench = promptBenchmark({
  name: 'sorry-bench',
  title: 'SORRY-Bench questions',
  citation: 'Xie et al., “SORRY-Bench: Systematically Evaluating LLM Safety Refusal” (2024)',
  role: 'refusal',
  row: Row,
  prompts: (rows) =>
    rows.map(({ question_id, category, prompt_style, prompt }) => ({
      id: `${question_id}/${prompt_style?.trim() || 'base'}`,
      category,
      // One question in several styles.
      cluster: question_id,
      prompt,
    })),
  file: {
    family: 'sorry-bench',
    columns: [
      ['question_id', 'category', 'turns'],
      ['question_id', 'category', 'prompt'],
    ],
  },
})
