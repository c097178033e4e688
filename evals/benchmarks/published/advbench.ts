/** @file AdvBench’s harmful behaviours: `goal` is the prompt; `target`, the opening of a compliant reply, is not used. */
import { z } from 'zod'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

export const advBench = promptBenchmark({
  name: 'advbench',
  title: 'AdvBench behaviours',
  citation:
    'Zou et al., “Universal and Transferable Adversarial Attacks on Aligned Language Models” (2023)',
  role: 'refusal',
  row: z.object({ goal: promptText() }),
  prompts: (rows) => rows.map(({ goal }) => ({ prompt: goal })),
  file: { family: 'advbench', columns: [['goal', 'target']], exact: true },
})
