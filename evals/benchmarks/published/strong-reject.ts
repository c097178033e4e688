/** @file StrongREJECT’s forbidden prompts; its own score comes from a rubric (judge `rubric`), string rules tell refusals. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import { byPlace, importedSample, PromptText, REFUSE, REPLY_TOKENS } from './imported-row.ts'

const name = 'strong-reject'
const Row = z.object({ category: z.string(), forbidden_prompt: PromptText })
type Row = z.infer<typeof Row>

export const strongReject: Benchmark<Row> = {
  name,
  title: 'StrongREJECT prompts',
  citation: 'Souly et al., “A StrongREJECT for Empty Jailbreaks” (2024)',
  role: 'refusal',
  row: Row,
  parse: (rows) =>
    rows.map(({ category, forbidden_prompt: prompt }, i) =>
      importedSample(name, { id: byPlace(i), category, prompt }, REFUSE),
    ),
  maxNewTokens: REPLY_TOKENS,
  judges: ['normalised', 'gcg-exact', 'xstest'],
  file: { family: name, columns: [['category', 'source', 'forbidden_prompt']] },
}
