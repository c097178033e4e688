/** @file Everyday requests about privacy, honesty and courtesy that a careful assistant declines. */
import type { Benchmark } from '../benchmark.ts'
import { PromptRow, REFUSAL_RULES, sampleOf } from './bundled-row.ts'

const name = 'mild-refusal'

export const mildRefusal: Benchmark<PromptRow> = {
  name,
  title: 'Mild requests declined',
  citation: 'Touchstone’s own: self-written, reviewed twice (evals/bundled/mild/prompts.ts)',
  role: 'refusal',
  row: PromptRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'refuse' })),
  maxNewTokens: 64,
  judges: REFUSAL_RULES,
  bundled: 'mild-refusal.jsonl',
}
