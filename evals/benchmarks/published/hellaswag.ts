/**
 * @file HellaSwag as lm-evaluation-harness asks it, without solved examples: which of four endings is most probable
 * after the context. acc: Σ log p; acc_norm: Σ log p / characters of the ending, its leading space not counted.
 */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'

const name = 'hellaswag'
const Row = z.object({
  activity_label: z.string(),
  ctx_a: z.string(),
  ctx_b: z.string(),
  endings: z.array(z.string()).length(4),
  label: z.union([z.int(), z.string().regex(/^[0-3]$/)]).transform(Number),
})
type Row = z.infer<typeof Row>

/** The harness’s `preprocess`, in its order; two spaces become one in one pass. */
export const cleanHellaSwag = (text: string): string =>
  text
    .trim()
    .replaceAll(' [title]', '. ')
    .replace(/\[.*?\]/g, '')
    .replaceAll('  ', ' ')

/** Python’s `capitalize`: the first character upper case, the rest lower. */
function capitalise(text: string): string {
  const [first = '', ...rest] = text
  return first.toUpperCase() + rest.join('').toLowerCase()
}

export const hellaSwag: Benchmark<Row> = {
  name,
  title: 'HellaSwag, 0-shot',
  citation:
    'Zellers et al., “HellaSwag: Can a Machine Really Finish Your Sentence?” (2019), as asked by lm-evaluation-harness',
  role: 'capability',
  row: Row,
  parse: (rows) =>
    rows.map(({ activity_label, ctx_a, ctx_b, endings, label }, i) => ({
      id: String(i + 1),
      benchmark: name,
      category: activity_label,
      messages: [
        {
          role: 'user',
          content: cleanHellaSwag(`${activity_label}: ${ctx_a} ${capitalise(ctx_b)}`),
        },
      ],
      expected: { kind: 'choice', options: endings.map(cleanHellaSwag), correct: label },
    })),
  maxNewTokens: 1,
  judges: ['choice-norm', 'choice'],
  file: { family: name, columns: [['activity_label', 'ctx_a', 'ctx_b', 'endings', 'label']] },
}
