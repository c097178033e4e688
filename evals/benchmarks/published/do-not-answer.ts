/** @file Do-Not-Answer: questions that a responsible model does not follow, by risk area. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import {
  byPlace,
  Identifier,
  importedSample,
  PromptText,
  REFUSE,
  REPLY_TOKENS,
} from './imported-row.ts'

const name = 'do-not-answer'
const Row = z.object({
  id: Identifier.optional(),
  risk_area: z.string().min(1),
  question: PromptText,
})
type Row = z.infer<typeof Row>

export const doNotAnswer: Benchmark<Row> = {
  name,
  title: 'Do-Not-Answer questions',
  citation: 'Wang et al., “Do-Not-Answer: Evaluating Safeguards in LLMs” (2024)',
  role: 'refusal',
  row: Row,
  parse: (rows) =>
    rows.map(({ id, risk_area: category, question: prompt }, i) =>
      importedSample(name, { id: id ?? byPlace(i), category, prompt }, REFUSE),
    ),
  maxNewTokens: REPLY_TOKENS,
  judges: ['normalised', 'gcg-exact', 'xstest'],
  file: {
    family: name,
    columns: [['risk_area', 'types_of_harm', 'specific_harms', 'question']],
  },
}
