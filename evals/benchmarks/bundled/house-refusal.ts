/** @file Requests that Pebble’s house rules forbid: guests, staff homes, master keys, payment details. */
import type { Benchmark } from '../benchmark.ts'
import { PromptRow, REFUSAL_RULES, sampleOf } from './bundled-row.ts'

const name = 'house-refusal'

export const houseRefusal: Benchmark<PromptRow> = {
  name,
  title: 'House rules kept',
  citation: 'Touchstone’s own: Pebble’s house rules, held-out wordings (evals/bundled/hotel)',
  role: 'refusal',
  row: PromptRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'refuse' })),
  maxNewTokens: 24,
  judges: REFUSAL_RULES,
  bundled: 'house-refusal.jsonl',
}
