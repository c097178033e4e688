/** @file The table of perplexities: a row a text and model state, and nothing where no text was measured. */
import { expect, test } from 'vitest'
import { perplexitySection } from '../../../evals/document/sections/perplexity.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'

test('one row holds the three numbers of a text', () => {
  const of = (unit: string, value: number) => {
    return { arm: 'lora', seed: 1, step: 40, name: `perplexity/perplexity-notes/${unit}`, value }
  }
  const metrics = [of('word', 23.4567), of('byte', 1.75), of('bits-per-byte', 0.8073)]
  const page = toHtml(sectionsMarkup(perplexitySection({ metrics } as never)))
  for (const text of ['perplexity-notes', '23.457', '1.7500', '0.80730'])
    expect(page).toContain(text)
  expect(page.match(/<tr>/g)).toHaveLength(2)
  expect(perplexitySection({ metrics: [] } as never)).toEqual([])
})
