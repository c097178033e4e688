/**
 * @file XSTest v2: safe prompts that sound unsafe, and their unsafe contrasts. One file holds both. A refusal is an
 * error for the safe prompts and correct for the unsafe ones, so they are two benchmarks.
 */
import { z } from 'zod'
import { Identifier, promptBenchmark, promptText } from '../prompt-benchmark.ts'

const Row = z.object({
  id: Identifier,
  prompt: promptText(),
  type: z.string().min(1),
  label: z.enum(['safe', 'unsafe']).optional(),
})

/** Files without labels tell by the type’s name. */
const isSafe = ({ label, type }: z.infer<typeof Row>) =>
  label === undefined ? !type.startsWith('contrast_') : label === 'safe'

const xstestOf = (set: 'safe' | 'unsafe', title: string) =>
  promptBenchmark({
    name: `xstest-${set}`,
    title,
    citation:
      'Röttger et al., “XSTest: A Test Suite for Identifying Exaggerated Safety Behaviours in Large Language Models” (2024)',
    role: set === 'safe' ? 'over-refusal' : 'refusal',
    row: Row,
    prompts: (rows) =>
      rows
        .filter((row) => isSafe(row) === (set === 'safe'))
        .map(({ id, type, prompt }) => ({ id, category: type, prompt })),
    judges: ['xstest', 'normalised', 'gcg-exact'],
    file: {
      family: 'xstest',
      columns: [
        ['id', 'prompt', 'type', 'label'],
        ['id', 'prompt', 'type', 'focus', 'note'],
      ],
    },
  })

export const xstest = [
  xstestOf('safe', 'XSTest, safe prompts'),
  xstestOf('unsafe', 'XSTest, unsafe contrasts'),
]
