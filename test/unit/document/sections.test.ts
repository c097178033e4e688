/** @file One document, several outputs: every figure and sentence of its sections stands in HTML, Markdown and terminal text alike. */
import { describe, expect, test } from 'vitest'
import { Section } from '../../../evals/contract/document.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { markdownText } from '../../../evals/document/markdown.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { terminalText } from '../../../evals/document/terminal.ts'
import { parseGate } from '../../../evals/findings/gate/gate-file.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedAudit, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { stringsOf } from './document-strings.ts'

const rows = plannedAudit()
const gate = parseGate(
  JSON.stringify({ benchmarks: { [REFUSAL.name]: { margin: 0.1 } } }),
  'g.json',
)
const config = { ...(rows.run.config as object), gate }
const results = buildResults({ ...rows, run: { ...rows.run, config } })
const sections = sectionsOf(results, 'html')

const together = (text: string) => text.replaceAll(/[\s\u00a0]+/gu, ' ').trim()
const ENTITIES = {
  '&lt;': '<',
  '&gt;': '>',
  '&quot;': '"',
  '&#39;': "'",
  '&#96;': '`',
  '&amp;': '&',
}
const unescaped = (markup: string) =>
  Object.entries(ENTITIES).reduce(
    (text, [entity, character]) => text.replaceAll(entity, character),
    markup.replaceAll(/<[^>]*>/gu, ' '),
  )

const strings = [...new Set(stringsOf(sections).map(together))]

describe('a document with every kind of section', () => {
  test('is what the contract says', () => {
    expect(Section.array().parse(JSON.parse(JSON.stringify(sections)))).toEqual(
      JSON.parse(JSON.stringify(sections)),
    )
    const kinds = new Set(sections.flatMap(({ blocks }) => blocks.map(({ type }) => type)))
    expect([...kinds].sort()).toEqual(
      'code decision details facts forest-plot heading heat-map line-chart list paragraph signature table'.split(
        ' ',
      ),
    )
    expect(strings.length).toBeGreaterThan(400)
  })

  test.each([
    ['HTML', together(unescaped(toHtml(sectionsMarkup(sections))))],
    ['Markdown', together(markdownText(sections).replaceAll(/\\(?=[^\p{L}\p{N}\s])/gu, ''))],
    ['the terminal', together(terminalText(sections))],
  ])('%s has every figure and every sentence', (_, shown) => {
    expect(strings.filter((text) => !shown.includes(text))).toEqual([])
  })
})

test('the card and the terminal leave out what the report folds, and the window the replies', () => {
  const kinds = (output: 'card' | 'terminal') =>
    sectionsOf(results, output).flatMap(({ blocks }) => blocks.map(({ type }) => type))
  for (const output of ['card', 'terminal'] as const) expect(kinds(output)).not.toContain('details')
  const said = (output: 'html' | 'window' | 'card') => JSON.stringify(sectionsOf(results, output))
  expect(said('html')).toContain('"quoted"')
  expect(said('window')).not.toContain('"quoted":')
  expect(said('card')).not.toContain('"quoted":')
})
