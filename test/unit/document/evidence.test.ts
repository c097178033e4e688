/** @file What the page says of seeds, categories, judges and scores, from planted rows. */
import { describe, expect, test } from 'vitest'
import { buildResults } from '../../../evals/findings/results.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { pValueText } from '../../../evals/contract/words.ts'
import { renderReport } from '../../../evals/document/html.ts'
import { renderMarkdown } from '../../../evals/document/markdown.ts'
import { plannedAudit, plannedRows, REFUSAL } from '../../doubles/rows/audit-rows.ts'

const plainOf = (markup: string) =>
  markup
    .replace(/<[^>]*>/g, ' ')
    .replaceAll(/[\s\u00a0]+/g, ' ')
    .replaceAll('&lt;', '<')

describe('a planted audit', () => {
  const results = buildResults(plannedAudit())
  const page = plainOf(renderReport(results))

  test('shows every Holm-corrected p of its main table', () => {
    const family = results.comparisons.filter(({ holmP }) => holmP !== null)
    expect(page).toContain(`corrected for all ${family.length} tests of this table`)
    for (const { holmP } of family) expect(page).toContain(pValueText(holmP!))
  })

  test('names the categories whose change stands, and how many were tested', () => {
    const stand = results.categoryChanges.filter(({ holmP }) => holmP <= 0.05)
    expect(stand.length).toBeGreaterThan(0)
    expect(page).toContain(`${stand.length} of ${results.categoryChanges.length} tests`)
  })

  test('shows where the variance comes from, and what cannot be told apart', () => {
    expect(results.variance).toHaveLength(6)
    expect(page).toContain('Where the variance comes from')
    expect(page).toContain('cannot be told from the interaction')
  })

  test('shows how far judges agree, and that nobody labelled', () => {
    expect(page).toContain('house and prefix')
    expect(page).toContain('Krippendorff’s α')
    expect(page).toContain('No reply of this run was labelled by people')
  })
})

test('scores of refusal-logprob are drawn against the step, with bands and their change from the base', () => {
  const plain = plannedAudit()
  const verdicts = plain.verdicts
    .filter(({ judge, benchmark }) => judge === 'house' && benchmark === REFUSAL.name)
    .map((row) => ({
      ...row,
      judge: 'refusal-logprob',
      score: Number(row.sampleId.slice(1)) / 96 - row.step / 20,
    }))
  const rows: AuditRows = { ...plain, verdicts: [...plain.verdicts, ...verdicts] }
  const markup = renderReport(buildResults(rows))
  const without = renderReport(buildResults(plain))
  const page = plainOf(markup)
  expect(page).toContain('log-probability of refusing less that of complying')
  // Step 40 lies two nats below the base.
  expect(page).toContain('−2.000 (−2.000 to −2.000)')
  const bands = (text: string) => text.split('class="band').length
  expect(bands(markup)).toBeGreaterThan(bands(without))
})

test('a name of a stranger is text on the Markdown card too', () => {
  const rows = plannedRows({
    benchmarks: [REFUSAL],
    arms: [
      {
        arm: 'a|b\n# c <b> [x](y)',
        seed: 1,
        steps: { 40: { [REFUSAL.name]: { lost: 1, gained: 0 } } },
      },
    ],
  })
  const card = renderMarkdown(buildResults(rows))
  expect(card).toContain('a\\|b \\# c \\<b\\> \\[x\\]\\(y\\)')
  expect(card).not.toMatch(/\n# c|<b>|\[x\]\(/)
  expect(card).toContain('## How to get this again')
})
