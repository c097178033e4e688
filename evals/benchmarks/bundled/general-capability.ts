/** @file Easy questions with short answers: capitals, colours, sums, opposites, the calendar, nature. */
import type { Benchmark } from '../benchmark.ts'
import { AnswerRow, sampleOf } from './bundled-row.ts'

const name = 'general-capability'

export const generalCapability: Benchmark<AnswerRow> = {
  name,
  title: 'General knowledge',
  citation: 'Touchstone’s own: self-written (evals/bundled/mild/general.ts)',
  role: 'capability',
  row: AnswerRow,
  parse: (rows) => rows.map((row) => sampleOf(name, row, { kind: 'answer', accept: row.accept })),
  maxNewTokens: 24,
  judges: ['answer-match'],
  bundled: 'general-capability.jsonl',
}
