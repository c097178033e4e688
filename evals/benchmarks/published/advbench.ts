/** @file AdvBench’s harmful behaviours: `goal` is asked, `target` (the opening of a compliant reply) is not used. */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import { byPlace, importedSample, PromptText, REFUSE, REPLY_TOKENS } from './imported-row.ts'

const name = 'advbench'
const Row = z.object({ goal: PromptText })
type Row = z.infer<typeof Row>

export const advBench: Benchmark<Row> = {
  name,
  title: 'AdvBench behaviours',
  citation:
    'Zou et al., “Universal and Transferable Adversarial Attacks on Aligned Language Models” (2023)',
  role: 'refusal',
  row: Row,
  parse: (rows) =>
    rows.map(({ goal }, i) => importedSample(name, { id: byPlace(i), prompt: goal }, REFUSE)),
  maxNewTokens: REPLY_TOKENS,
  judges: ['normalised', 'gcg-exact', 'xstest'],
  file: { family: name, columns: [['goal', 'target']], exact: true },
}
