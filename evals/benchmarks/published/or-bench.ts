/**
 * @file OR-Bench’s three sets have the same two columns, so a file’s name tells them apart: 80k and hard are safe
 * prompts that sound unsafe, toxic ones should be refused.
 */
import { z } from 'zod'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

const orBenchOf = (set: '80k' | 'hard' | 'toxic', role: 'refusal' | 'over-refusal') =>
  promptBenchmark({
    name: `or-bench-${set}`,
    title: `OR-Bench, ${set}`,
    citation: 'Cui et al., “OR-Bench: An Over-Refusal Benchmark for Large Language Models” (2024)',
    role,
    row: z.object({ prompt: promptText(), category: z.string().min(1) }),
    prompts: (rows) => rows,
    judges: ['or-bench-open', 'or-bench-gpt-4', 'normalised'],
    file: {
      family: `or-bench-${set}`,
      columns: [['prompt', 'category']],
      exact: true,
      fileName: new RegExp(`or[-_ ]?bench.*${set}`, 'i'),
    },
  })

export const orBench = [
  orBenchOf('80k', 'over-refusal'),
  orBenchOf('hard', 'over-refusal'),
  orBenchOf('toxic', 'refusal'),
]
