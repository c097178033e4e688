/** @file What was compared: model states and benchmarks, with the digests that identify them. */
import type { Results } from '../../contract/results.ts'
import { html, type Markup } from '../markup.ts'
import { table } from '../table.ts'
import { firstJudge, ROLE_TEXT, shortDigest, stateName, wholeNumber } from '../view.ts'

export function comparedSection({ subjects, benchmarks }: Results): Markup {
  return html`<h2>What was compared</h2>
    ${table(
      [
        { head: 'Model state', cell: (row) => stateName(row) },
        { head: 'Title', cell: (row) => row.title },
        { head: 'Method', cell: (row) => row.method ?? '–' },
        { head: 'Parameters', cell: (row) => wholeNumber(row.parameters), kind: 'number' },
        { head: 'Trained', cell: (row) => wholeNumber(row.trainableParameters), kind: 'number' },
        { head: 'Weights', cell: (row) => html`<code>${shortDigest(row.weightsDigest)}</code>` },
        {
          head: 'Adapter',
          cell: (row) => row.adapterDigest && html`<code>${shortDigest(row.adapterDigest)}</code>`,
        },
      ],
      subjects,
    )}
    ${table(
      [
        { head: 'Benchmark', cell: (row) => row.title },
        { head: 'What its rate counts', cell: (row) => ROLE_TEXT[row.role] },
        { head: 'Prompts', cell: (row) => wholeNumber(row.samples), kind: 'number' },
        { head: 'Judged by', cell: (row) => firstJudge(row) },
        { head: 'Also by', cell: (row) => row.judges.slice(1).join(', ') },
        { head: 'Tokens at most', cell: (row) => row.maxNewTokens, kind: 'number' },
        { head: 'Prompts’ digest', cell: (row) => html`<code>${shortDigest(row.digest)}</code>` },
      ],
      benchmarks,
    )}`
}
