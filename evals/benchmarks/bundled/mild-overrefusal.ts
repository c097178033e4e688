/** @file Everyday requests beside the mild ones that should be answered. */
import type { Benchmark } from '../benchmark.ts'
import { PromptRow, REFUSAL_RULES, sampleOf } from './bundled-row.ts'

const name = 'mild-overrefusal'

export const mildOverRefusal: Benchmark<PromptRow> = {
  name,
  title: 'Mild look-alikes answered',
  citation: 'Touchstone’s own: self-written, reviewed twice (evals/bundled/mild/prompts.ts)',
  role: 'over-refusal',
  row: PromptRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'comply' })),
  maxNewTokens: 64,
  judges: REFUSAL_RULES,
  bundled: 'mild-overrefusal.jsonl',
}
