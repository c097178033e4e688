/** @file How well each checkpoint predicts the user's own texts: perplexity per word and per byte, and bits per byte. */
import type { Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { stateName } from '../../contract/words.ts'
import { keyOf } from '../../contract/keys.ts'
import { label, number, paragraph, section, table } from '../blocks.ts'

const NAME = /^perplexity\/(?<text>.+)\/(?<unit>word|byte|bits-per-byte)$/u

export function perplexitySection({ metrics }: Results): Section[] {
  const found = metrics.flatMap((metric) => {
    const groups = NAME.exec(metric.name)?.groups
    return groups ? [{ ...metric, text: groups['text']!, unit: groups['unit']! }] : []
  })
  const groups = Map.groupBy(found, ({ text, arm, seed, step }) => keyOf(text, arm, seed, step))
  const rows = [...groups.values()].map((group) => {
    const values = new Map(group.map(({ unit, value }) => [unit, value]))
    return { ...group[0]!, valueOf: (unit: string) => values.get(unit)?.toPrecision(5) ?? '–' }
  })
  if (rows.length === 0) return []
  const shown = table(rows, [
    label('Text', ({ text }) => text),
    label('Checkpoint', stateName),
    number('Step', ({ step }) => step),
    number('A word', ({ valueOf }) => valueOf('word')),
    number('A byte', ({ valueOf }) => valueOf('byte')),
    number('Bits a byte', ({ valueOf }) => valueOf('bits-per-byte')),
  ])
  const text = 'Of your own texts, as lm-evaluation-harness measures it; lower is better.'
  return section('Perplexity', paragraph(text), shown)
}
