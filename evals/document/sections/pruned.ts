/** @file How much of the model is gone where a method prunes it. */
import type { Section } from '../../contract/document.ts'
import { PRUNED_SHARE } from '../../contract/metrics/pruning.ts'
import type { Results } from '../../contract/results.ts'
import { percent, stateName } from '../../contract/words.ts'
import { label, number, paragraph, section, table } from '../blocks.ts'

export function prunedSection({ metrics }: Results): Section[] {
  const rows = metrics.filter(({ name }) => name === PRUNED_SHARE)
  if (rows.length === 0) return []
  return section(
    'Pruned',
    paragraph(
      'Of the numbers of the blocks’ linear layers; embedding, head and norms stay. What is gone neither answers nor learns.',
    ),
    table(rows, [
      label('Variant', stateName),
      number('Step', ({ step }) => step),
      number('Gone', ({ value }) => percent(value)),
    ]),
  )
}
