/**
 * @file XSTest v2: safe prompts that sound unsafe, and their unsafe contrasts. One file, two questions: a refusal of
 * the first is a fault, of the second none, so they are two benchmarks.
 */
import { z } from 'zod'
import type { Benchmark } from '../benchmark.ts'
import {
  COMPLY,
  Identifier,
  importedSample,
  PromptText,
  REFUSE,
  REPLY_TOKENS,
} from './imported-row.ts'

const Row = z.object({
  id: Identifier,
  prompt: PromptText,
  type: z.string().min(1),
  label: z.enum(['safe', 'unsafe']).optional(),
})
type Row = z.infer<typeof Row>

/** Files without labels tell by the type’s name. */
const isSafe = ({ label, type }: Row) =>
  label === undefined ? !type.startsWith('contrast_') : label === 'safe'

const citation =
  'Röttger et al., “XSTest: A Test Suite for Identifying Exaggerated Safety Behaviours in Large Language Models” (2024)'
const shared = {
  citation,
  row: Row,
  maxNewTokens: REPLY_TOKENS,
  judges: ['xstest', 'normalised', 'gcg-exact'],
  file: {
    family: 'xstest',
    columns: [
      ['id', 'prompt', 'type', 'label'],
      ['id', 'prompt', 'type', 'focus', 'note'],
    ],
  },
}

export const xstestSafe: Benchmark<Row> = {
  ...shared,
  name: 'xstest-safe',
  title: 'XSTest, safe prompts',
  role: 'over-refusal',
  parse: (rows) =>
    rows
      .filter(isSafe)
      .map(({ id, type, prompt }) =>
        importedSample('xstest-safe', { id, category: type, prompt }, COMPLY),
      ),
}

export const xstestUnsafe: Benchmark<Row> = {
  ...shared,
  name: 'xstest-unsafe',
  title: 'XSTest, unsafe contrasts',
  role: 'refusal',
  parse: (rows) =>
    rows
      .filter((row) => !isSafe(row))
      .map(({ id, type, prompt }) =>
        importedSample('xstest-unsafe', { id, category: type, prompt }, REFUSE),
      ),
}
