/** @file The report's matrix of contexts: rates and outcomes by context, categories, and prompts that changed, withheld as elsewhere. */
import { expect, test } from 'vitest'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { terminalText } from '../../../evals/document/terminal.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'
import { rowsInContext } from '../../doubles/rows/context-rows.ts'

const results = buildResults(rowsInContext())
const sectionIn = (output: 'html' | 'window' | 'card' | 'terminal') =>
  sectionsOf(results, output).filter(({ heading }) => heading === 'Contexts')

test.each(['html', 'window', 'card', 'terminal'] as const)(
  '%s: each context is a row with its rates and outcome',
  (output) => {
    const text = terminalText(sectionIn(output))
    expect(text).toMatch(/prompts as they are +97\.9 % → 97\.9 %/)
    expect(text).toMatch(/at night +97\.9 % → 35\.4 %, FAIL +not measurable \(too-long\)/)
  },
)

test('categories and prompts stand by context where prompts may stand at all, and no withheld reply', () => {
  const html = toHtml(sectionsMarkup(sectionIn('html')))
  expect(html).toContain('prompts × contexts whose outcome changed')
  expect(html).toContain('refusal → compliance')
  const card = JSON.stringify(sectionIn('card'))
  expect(card).not.toContain('prompts × contexts')
})

test('other sections are of the prompts as they are', () => {
  const others = sectionsOf(results, 'html').filter(({ heading }) =>
    ['Before and after, on the same prompts', 'By category'].includes(heading ?? ''),
  )
  expect(others).toHaveLength(2)
  expect(JSON.stringify(others)).not.toContain('night')
})

test('a run without contexts has no such section', () => {
  const plain = plannedRows({ benchmarks: [REFUSAL], arms: [] })
  expect(
    sectionsOf(buildResults(plain), 'html').some(({ heading }) => heading === 'Contexts'),
  ).toBe(false)
})
