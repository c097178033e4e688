/** @file How well each model state predicts the user's own texts: perplexity a word and a byte, and bits a byte. */
import type { Results } from '../../contract/results.ts'
import { html, type Markup } from '../markup.ts'
import { table } from '../table.ts'
import { isBase, stateName } from '../view.ts'

const NAME = /^perplexity\/(?<text>.+)\/(?<unit>word|byte|bits-per-byte)$/u

interface Row {
  readonly text: string
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly values: ReadonlyMap<string, number>
}

export function perplexitySection({ metrics }: Results): Markup {
  const found = metrics.flatMap((metric) => {
    const groups = NAME.exec(metric.name)?.groups
    return groups ? [{ ...metric, text: groups['text']!, unit: groups['unit']! }] : []
  })
  const groups = Map.groupBy(found, ({ text, arm, seed, step }) =>
    [text, arm, seed, step].join('\u0000'),
  )
  const rows = [...groups.values()].map((group): Row => {
    const values = new Map(group.map(({ unit, value }) => [unit, value]))
    return { ...group[0]!, values }
  })
  if (rows.length === 0) return html``
  const column = (head: string, unit: string) => ({
    head,
    cell: ({ values }: Row) => values.get(unit)?.toPrecision(5) ?? '–',
    kind: 'number' as const,
  })
  return html`<h2>Perplexity</h2>
    <p>Of your own texts, as lm-evaluation-harness measures it; lower is better.</p>
    ${table(
      [
        { head: 'Text', cell: ({ text }: Row) => text },
        { head: 'Model state', cell: (row: Row) => (isBase(row) ? 'base' : stateName(row)) },
        { head: 'Step', cell: ({ step }: Row) => step, kind: 'number' },
        column('A word', 'word'),
        column('A byte', 'byte'),
        column('Bits a byte', 'bits-per-byte'),
      ],
      rows,
    )}`
}
