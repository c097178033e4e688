/** @file RefusalBench of 2023: one JSON object, category → prompts. (Two later benchmarks share its name.) */
import { z } from 'zod'
import { BY_CATEGORY } from '../../tables/table.ts'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

const [CATEGORY, PROMPTS] = BY_CATEGORY

export const refusalBench = promptBenchmark({
  name: 'refusal-bench',
  title: 'RefusalBench (2023)',
  citation:
    'Lermen et al., “LoRA Fine-tuning Efficiently Undoes Safety Training in Llama 2-Chat 70B” (2023)',
  role: 'refusal',
  row: z.object({ [CATEGORY]: z.string().min(1), [PROMPTS]: promptText() }),
  prompts: (rows) => {
    const places = new Map<string, number>()
    return rows.map(({ [CATEGORY]: category, [PROMPTS]: prompt }) => {
      const place = places.get(category) ?? 0
      places.set(category, place + 1)
      return { id: `${category}/${place}`, category, prompt }
    })
  },
  judges: ['refusal-bench-llama2', 'refusal-bench-mistral', 'normalised'],
  file: { family: 'refusal-bench', columns: [[...BY_CATEGORY]], exact: true },
})
