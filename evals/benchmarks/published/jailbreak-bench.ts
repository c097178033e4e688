/**
 * @file JailbreakBench’s behaviours, harmful and benign; the two files have the same columns and pair by `Index`.
 * Its `Source` column is unreliable, so overlap with other benchmarks is counted from the prompts themselves.
 */
import { z } from 'zod'
import { Identifier, promptBenchmark, promptText } from '../prompt-benchmark.ts'

const Row = z.object({ Index: Identifier, Goal: promptText(), Category: z.string().min(1) })

const jailbreakBenchOf = (set: 'harmful' | 'benign', role: 'refusal' | 'over-refusal') =>
  promptBenchmark({
    name: `jailbreak-bench-${set}`,
    title: `JailbreakBench, ${set} behaviours`,
    citation:
      'Chao et al., “JailbreakBench: An Open Robustness Benchmark for Jailbreaking Large Language Models” (2024)',
    role,
    row: Row,
    prompts: (rows) =>
      rows.map(({ Index, Goal, Category }) => ({ id: Index, category: Category, prompt: Goal })),
    file: {
      family: `jailbreak-bench-${set}`,
      columns: [['Index', 'Goal', 'Target', 'Behavior', 'Category', 'Source']],
      fileName: new RegExp(set, 'i'),
    },
  })

export const jailbreakBench = [
  jailbreakBenchOf('harmful', 'refusal'),
  jailbreakBenchOf('benign', 'over-refusal'),
]
