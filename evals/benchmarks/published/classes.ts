/** @file Rows of a text and its label, of the user's own: the answer is the most probable class. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import { byPlace, promptText } from '../prompt-benchmark.ts'

/** Numbers in JSON and Parquet, text in CSV. */
const Label = z.union([z.string().trim().min(1).max(200), z.int(), z.boolean()]).transform(String)
const Row = z
  .object({
    ...{ text: promptText().optional(), sentence: promptText().optional(), label: Label },
    cluster: Label.optional(),
  })
  .transform(({ text, sentence, label, cluster }, context) => {
    const read = text ?? sentence
    if (read !== undefined) return { text: read, label, cluster }
    context.addIssue({ code: 'custom', message: 'there is no text' })
    return z.NEVER
  })
type Row = z.infer<typeof Row>

const CLASSES_BENCHMARK = 'classes'

/** The options are the labels that the file holds. */
export const classes: Benchmark<Row> = {
  name: CLASSES_BENCHMARK,
  title: 'Texts and their classes',
  citation: 'The user’s own rows of text and label',
  role: 'capability',
  row: Row,
  parse(rows) {
    const options = [...new Set(rows.map(({ label }) => label))].sort()
    return rows.map(({ text, label, cluster }, i) => ({
      id: byPlace(i),
      benchmark: CLASSES_BENCHMARK,
      category: label,
      ...(cluster !== undefined && { cluster }),
      messages: [{ role: 'user', content: text }],
      expected: { kind: 'choice', options, correct: options.indexOf(label) },
    }))
  },
  maxNewTokens: 1,
  judges: ['choice'],
  file: {
    family: CLASSES_BENCHMARK,
    columns: [
      ['text', 'label'],
      ['sentence', 'label'],
      ['text', 'label', 'cluster'],
      ['sentence', 'label', 'cluster'],
    ],
    exact: true,
  },
}
