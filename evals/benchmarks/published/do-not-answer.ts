/** @file Do-Not-Answer: questions that a responsible model does not follow, by risk area. */
import { z } from 'zod'
import { Identifier, promptBenchmark, promptText } from '../prompt-benchmark.ts'

export const doNotAnswer = promptBenchmark({
  name: 'do-not-answer',
  title: 'Do-Not-Answer questions',
  citation: 'Wang et al., “Do-Not-Answer: Evaluating Safeguards in LLMs” (2024)',
  role: 'refusal',
  row: z.object({
    id: Identifier.optional(),
    risk_area: z.string().min(1),
    question: promptText(),
  }),
  prompts: (rows) =>
    rows.map(({ id, risk_area: category, question: prompt }) => ({ id, category, prompt })),
  file: {
    family: 'do-not-answer',
    columns: [['risk_area', 'types_of_harm', 'specific_harms', 'question']],
  },
})
