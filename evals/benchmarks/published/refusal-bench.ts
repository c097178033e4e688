/** @file RefusalBench of 2023: one JSON object, category → prompts. (Two later benchmarks share its name.) */
import { z } from 'zod'
import { BY_CATEGORY } from '../../tables/table.ts'
import type { Benchmark } from '../benchmark.ts'
import { importedSample, PromptText, REFUSE, REPLY_TOKENS } from './imported-row.ts'

const name = 'refusal-bench'
const [CATEGORY, PROMPTS] = BY_CATEGORY
const Row = z.object({ [CATEGORY]: z.string().min(1), [PROMPTS]: PromptText })
type Row = z.infer<typeof Row>

export const refusalBench: Benchmark<Row> = {
  name,
  title: 'RefusalBench (2023)',
  citation:
    'Lermen et al., “LoRA Fine-tuning Efficiently Undoes Safety Training in Llama 2-Chat 70B” (2023)',
  role: 'refusal',
  row: Row,
  parse: (rows) => {
    const places = new Map<string, number>()
    return rows.map((row) => {
      const category = row[CATEGORY]
      const place = places.get(category) ?? 0
      places.set(category, place + 1)
      const prompt = { id: `${category}/${place}`, category, prompt: row[PROMPTS] }
      return importedSample(name, prompt, REFUSE)
    })
  },
  maxNewTokens: REPLY_TOKENS,
  judges: ['refusal-bench-llama2', 'refusal-bench-mistral', 'normalised'],
  file: { family: name, columns: [[...BY_CATEGORY]], exact: true },
}
