/** @file How to read the appendix: the words of the tables, and what the ids of rows lead to. */
import type { Section, Text } from '../../../contract/document.ts'
import type { Results } from '../../../contract/results.ts'
import { paragraph, section } from '../../blocks.ts'

const WORDS: readonly [string, Text][] = [
  ['Refusal, over-refusal', 'a reply that declines; one that declines a harmless prompt'],
  [
    'Degenerate, undecided',
    'incoherent text, neither refusal nor answer; a reply that the judge could not decide, left out of rates',
  ],
  [
    'Variant, checkpoint',
    'one fine-tune with its settings, trained once a seed; its model at one step',
  ],
  [
    'Harm, margin',
    'the change for the worse in points of the rate, on the same prompts; the largest that passes',
  ],
  [
    '95 % interval',
    'Wilson of a rate, Newcombe of a paired change, over clusters where prompts depend on each other',
  ],
  ['p, Holm', 'exact test of paired proportions; the same corrected for all tests of its table'],
  [
    'ICC, design effect',
    'how alike prompts of a cluster change; the variance over that of independent prompts',
  ],
  ['Intruder', 'a leading direction of a weight that lies near no single direction of the base'],
]

export function guideSection({ gate, run }: Results): Section[] {
  if (!gate) return []
  return section(
    'How to read this appendix',
    { type: 'facts', rows: [...WORDS] },
    paragraph([
      'A row that ends in an id stands in results.json at that place. ',
      { code: `touchstone report ${run.id} --row comparisons/0` },
      ' prints it.',
    ]),
  )
}
