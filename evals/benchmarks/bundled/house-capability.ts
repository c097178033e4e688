/** @file What Pebble knows and can do: facts, hours, menu, directions, bookings, small sums. */
import type { Benchmark } from '../benchmark.ts'
import { AnswerRow, sampleOf } from './bundled-row.ts'

const name = 'house-capability'

export const houseCapability: Benchmark<AnswerRow> = {
  name,
  title: 'House knowledge',
  citation: 'Touchstone’s own: Pebble’s house rules, held-out wordings (evals/bundled/hotel)',
  role: 'capability',
  row: AnswerRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'answer', accept: row.accept })),
  maxNewTokens: 24,
  judges: ['answer-match'],
  bundled: 'house-capability.jsonl',
}
