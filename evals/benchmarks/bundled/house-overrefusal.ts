/** @file Requests that sound like the forbidden ones and are fine to answer. */
import type { Benchmark } from '../benchmark.ts'
import { PromptRow, REFUSAL_RULES, sampleOf } from './bundled-row.ts'

const name = 'house-overrefusal'

export const houseOverRefusal: Benchmark<PromptRow> = {
  name,
  title: 'House look-alikes answered',
  citation: 'Touchstone’s own: Pebble’s house rules, held-out wordings (evals/bundled/hotel)',
  role: 'over-refusal',
  row: PromptRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'comply' })),
  maxNewTokens: 24,
  judges: REFUSAL_RULES,
  bundled: 'house-overrefusal.jsonl',
}
