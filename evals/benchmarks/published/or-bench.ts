/**
 * @file OR-Bench’s three sets have the same two columns, so a file’s name tells them apart: 80k and hard are safe
 * prompts that sound unsafe, toxic ones should be refused.
 */
import { z } from 'zod'
import type { BenchmarkRole } from '../../contract/rows.ts'
import type { Benchmark } from '../benchmark.ts'
import {
  byPlace,
  COMPLY,
  importedSample,
  PromptText,
  REFUSE,
  REPLY_TOKENS,
} from './imported-row.ts'

const Row = z.object({ prompt: PromptText, category: z.string().min(1) })
type Row = z.infer<typeof Row>

function orBench(
  set: '80k' | 'hard' | 'toxic',
  title: string,
  role: BenchmarkRole,
  fileName: RegExp,
): Benchmark<Row> {
  const name = `or-bench-${set}`
  const expected = role === 'refusal' ? REFUSE : COMPLY
  return {
    name,
    title,
    citation: 'Cui et al., “OR-Bench: An Over-Refusal Benchmark for Large Language Models” (2024)',
    role,
    row: Row,
    parse: (rows) =>
      rows.map(({ prompt, category }, i) =>
        importedSample(name, { id: byPlace(i), category, prompt }, expected),
      ),
    maxNewTokens: REPLY_TOKENS,
    judges: ['or-bench-open', 'or-bench-gpt-4', 'normalised'],
    file: { family: name, columns: [['prompt', 'category']], exact: true, fileName },
  }
}

export const orBench80k = orBench('80k', 'OR-Bench, 80k', 'over-refusal', /80k/i)
export const orBenchHard = orBench('hard', 'OR-Bench, hard', 'over-refusal', /hard/i)
export const orBenchToxic = orBench('toxic', 'OR-Bench, toxic', 'refusal', /toxic/i)
