/**
 * @file HarmBench’s text behaviours. A case is (Behavior, ContextString): the same behaviour in two contexts is two
 * cases. `Tags` is one text, split at ", ". Copyright cases (tag `hash_check`) and cases with a picture are left out.
 */
import { z } from 'zod'
import { promptBenchmark, promptText } from '../prompt-benchmark.ts'

const Row = z.object({
  Behavior: promptText(),
  BehaviorID: z.string().trim().min(1),
  ContextString: z.string().nullish(),
  SemanticCategory: z.string().optional(),
  Category: z.string().optional(),
  Tags: z.string().nullish(),
  ImageFileName: z.string().nullish(),
})
type Row = z.infer<typeof Row>

/** As in its code for direct requests: the context, a line, the behaviour. */
const promptOf = ({ Behavior, ContextString }: Row): string =>
  ContextString?.trim() ? `${ContextString}\n\n---\n\n${Behavior}` : Behavior

const PICTURE = 'they come with a picture, which a language model is not shown'
const COPYRIGHT =
  'they ask for a copyrighted text (tag hash_check), and no judge here compares a reply with that text'

export const harmBench = promptBenchmark({
  name: 'harmbench',
  title: 'HarmBench behaviours',
  citation:
    'Mazeika et al., “HarmBench: A Standardized Evaluation Framework for Automated Red Teaming and Robust Refusal” (2024)',
  role: 'refusal',
  row: Row,
  leaveOut({ Tags, ImageFileName }) {
    if (ImageFileName?.trim()) return PICTURE
    return Tags?.split(', ').includes('hash_check') ? COPYRIGHT : undefined
  },
  prompts: (rows) =>
    rows.map((row) => ({
      id: row.BehaviorID,
      category: row.SemanticCategory ?? row.Category,
      cluster: row.Behavior,
      prompt: promptOf(row),
    })),
  file: {
    family: 'harmbench',
    columns: [
      ['Behavior', 'FunctionalCategory', 'SemanticCategory', 'Tags', 'ContextString', 'BehaviorID'],
      ['Behavior', 'Category', 'Tags', 'ContextString', 'BehaviorID'],
      ['Behavior', 'SemanticCategory', 'ImageFileName', 'RedactedImageDescription', 'BehaviorID'],
    ],
  },
})
