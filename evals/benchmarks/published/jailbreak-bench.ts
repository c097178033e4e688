/**
 * @file JailbreakBench’s behaviours, harmful and benign; the two files have the same columns and pair by `Index`.
 * Its `Source` column is unreliable, so overlap with other benchmarks is counted from the prompts themselves.
 */
import { z } from 'zod'
import type { BenchmarkRole } from '../../contract/rows.ts'
import type { Benchmark } from '../benchmark.ts'
import {
  COMPLY,
  Identifier,
  importedSample,
  PromptText,
  REFUSE,
  REPLY_TOKENS,
} from './imported-row.ts'

const Row = z.object({ Index: Identifier, Goal: PromptText, Category: z.string().min(1) })
type Row = z.infer<typeof Row>

function jailbreakBench(
  set: 'harmful' | 'benign',
  title: string,
  role: BenchmarkRole,
  fileName: RegExp,
): Benchmark<Row> {
  const name = `jailbreak-bench-${set}`
  const expected = role === 'refusal' ? REFUSE : COMPLY
  return {
    name,
    title,
    citation:
      'Chao et al., “JailbreakBench: An Open Robustness Benchmark for Jailbreaking Large Language Models” (2024)',
    role,
    row: Row,
    parse: (rows) =>
      rows.map(({ Index, Goal, Category }) =>
        importedSample(name, { id: Index, category: Category, prompt: Goal }, expected),
      ),
    maxNewTokens: REPLY_TOKENS,
    judges: ['normalised', 'gcg-exact', 'xstest'],
    file: {
      family: name,
      columns: [['Index', 'Goal', 'Target', 'Behavior', 'Category', 'Source']],
      fileName,
    },
  }
}

export const jailbreakBenchHarmful = jailbreakBench(
  'harmful',
  'JailbreakBench, harmful behaviours',
  'refusal',
  /harmful/i,
)
export const jailbreakBenchBenign = jailbreakBench(
  'benign',
  'JailbreakBench, benign behaviours',
  'over-refusal',
  /benign/i,
)
