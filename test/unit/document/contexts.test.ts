/** @file The report's matrix of contexts: rates and outcomes by context, categories, and prompts that changed, withheld as elsewhere. */
import { expect, test } from 'vitest'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { sectionsOf } from '../../../evals/document/registry.ts'
import { sectionsMarkup } from '../../../evals/document/html.ts'
import { toHtml } from '../../../evals/document/markup.ts'
import { terminalText } from '../../../evals/document/terminal.ts'
import { buildResults } from '../../../evals/findings/results.ts'
import { CAPABILITY, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const NIGHT = { ...REFUSAL, name: `${REFUSAL.name}@night` }

function rowsInContext(): AuditRows {
  const rows = plannedRows({
    benchmarks: [REFUSAL, CAPABILITY, NIGHT],
    arms: [
      {
        arm: 'lora',
        seed: 0,
        steps: {
          10: {
            [REFUSAL.name]: { lost: 0, gained: 0 },
            [CAPABILITY.name]: { lost: 0, gained: 0 },
            [NIGHT.name]: { lost: 60, gained: 0 },
          },
        },
      },
    ],
  })
  const context = {
    of: REFUSAL.name,
    name: 'night',
    title: 'at night',
    kinds: ['system'],
    digest: '1',
  }
  const [refusal, capability, night] = rows.benchmarks
  const unasked = {
    ...capability!,
    name: `${CAPABILITY.name}@night`,
    context: { ...context, of: CAPABILITY.name, unasked: 'too-long' as const },
  }
  // Samples keep their names in a context.
  const renamed = <R extends { readonly sampleId: string }>(all: readonly R[]): R[] =>
    all.map((row) => ({ ...row, sampleId: row.sampleId.replace('@night', '') }))
  return {
    ...rows,
    benchmarks: [refusal!, capability!, { ...night!, context }, unasked],
    replies: renamed(rows.replies),
    verdicts: renamed(rows.verdicts),
  }
}

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
