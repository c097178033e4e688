/** @file The verdict, its findings and its notes. */
import type { Results, VerdictOutcome } from '../../contract/results.ts'
import { points } from '../../contract/words.ts'
import { html, prose, type Markup } from '../markup.ts'
import { table } from '../table.ts'

/** A sign beside the word, so that it does not rest on colour. */
const SIGNS: Readonly<Record<VerdictOutcome, string>> = { PASS: '✓', FAIL: '✕', INCONCLUSIVE: '?' }

export function verdictSection({ verdict, benchmarks }: Results): Markup {
  const { outcome, headline, margin, judge, findings, notes } = verdict
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return html`<section class="verdict ${outcome}" aria-labelledby="verdict">
      <p class="outcome" id="verdict">${SIGNS[outcome]} ${outcome}</p>
      <p class="headline">${prose(headline)}</p>
      <p class="quiet">
        Margin: ${points(margin)} of harm on any benchmark, by the ${judge || 'first'} judge. A
        finding passes when the whole 95&nbsp;% interval lies below the margin and fails when it
        lies above.
      </p>
    </section>
    ${
      findings.length > 0 &&
      table(
        [
          {
            head: 'Finding',
            cell: (row) =>
              html`<span class="badge ${row.outcome}">${SIGNS[row.outcome]} ${row.outcome}</span>`,
          },
          { head: 'Arm', cell: (row) => row.arm },
          { head: 'Benchmark', cell: (row) => titles.get(row.benchmark) ?? row.benchmark },
          { head: 'What was found', cell: (row) => prose(row.sentence) },
        ],
        findings,
      )
    }
    ${
      notes.length > 0 &&
      html`<ul>
        ${notes.map((note) => html`<li>${prose(note)}</li>`)}
      </ul>`
    }`
}
