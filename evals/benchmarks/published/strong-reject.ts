/** @file StrongREJECT’s forbidden prompts; string rules recognise refusals, its own score needs the judge `rubric`. */
import { z } from 'zod'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

export const strongReject = promptBenchmark({
  name: 'strong-reject',
  title: 'StrongREJECT prompts',
  citation: 'Souly et al., “A StrongREJECT for Empty Jailbreaks” (2024)',
  role: 'refusal',
  row: z.object({ category: z.string(), forbidden_prompt: promptText() }),
  prompts: (rows) => rows.map(({ category, forbidden_prompt: prompt }) => ({ category, prompt })),
  file: { family: 'strong-reject', columns: [['category', 'source', 'forbidden_prompt']] },
})
