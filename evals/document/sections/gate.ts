/** @file The gate, where one was given: its decision, every claim, the last safe checkpoints, and what to try after a FAIL. */
import type { GateOutcome, GateResult } from '../../contract/gate.ts'
import type { Results } from '../../contract/results.ts'
import { listed, points, pValueText } from '../../contract/words.ts'
import { html, prose, type Markup } from '../markup.ts'
import { table } from '../table.ts'

/** A sign beside the word, so that it does not rest on colour. */
const SIGNS: Readonly<Record<GateOutcome, string>> = {
  PASS: '✓',
  FAIL: '✕',
  INCONCLUSIVE: '?',
  'NOT COMPARABLE': '≠',
}

/** Styles know three states; what cannot be compared is as open as what cannot be decided. */
const styleOf = (outcome: GateOutcome) => (outcome === 'NOT COMPARABLE' ? 'INCONCLUSIVE' : outcome)

export function gateSection({ gate, benchmarks }: Results): Markup | false {
  if (!gate) return false
  const { outcome, headline, alpha, claims, lastSafe } = gate
  const titles = new Map(benchmarks.map(({ name, title }) => [name, title]))
  return html`<section class="verdict ${styleOf(outcome)}" aria-labelledby="gate">
      <p class="outcome" id="gate">${SIGNS[outcome]} Gate: ${outcome}</p>
      <p class="headline">${prose(headline)}</p>
      <p class="quiet">
        A claim passes when the harm is shown to be below its margin at α = ${alpha}, by the exact
        unconditional test of paired proportions; the gate passes when every claim does. It fails
        when a harm is shown to be above its margin, with Holm's correction over all claims.
      </p>
    </section>
    ${
      claims.length > 0 &&
      table(
        [
          {
            head: 'Claim',
            cell: (row) =>
              html`<span class="badge ${styleOf(row.outcome)}"
                >${SIGNS[row.outcome]} ${row.outcome}</span
              >`,
          },
          { head: 'Arm', cell: (row) => `${row.arm}, seed ${row.seed}` },
          { head: 'Benchmark', cell: (row) => titles.get(row.benchmark) ?? row.benchmark },
          { head: 'Margin', cell: (row) => points(row.margin) },
          { head: 'Below it', cell: (row) => pText(row.pBelow) },
          { head: 'Above it', cell: (row) => pText(row.pAbove) },
          { head: 'What was found', cell: (row) => prose(row.sentence) },
        ],
        claims,
      )
    }
    ${remarks(gate, lastSafe)} ${adviceList(gate)}`
}

const pText = (p: number | null) => (p === null ? '–' : pValueText(p))

function remarks(gate: GateResult, lastSafe: GateResult['lastSafe']): Markup | false {
  const notes = [
    ...lastSafe.map(({ sentence }) => sentence),
    ...(gate.allowedDifferences.length > 0
      ? [`Overruled by name: differences in ${listed(gate.allowedDifferences)} were allowed.`]
      : []),
    ...(gate.notGated.length > 0
      ? [`Measured, and not named by the gate: ${listed(gate.notGated)}.`]
      : []),
  ]
  if (notes.length === 0) return false
  return html`<ul>
    ${notes.map((note) => html`<li>${prose(note)}</li>`)}
  </ul>`
}

function adviceList({ advice }: GateResult): Markup | false {
  if (advice.length === 0) return false
  return html`<h2>What to try next</h2>
    ${table(
      [
        { head: 'Try', cell: ({ what }) => what },
        { head: 'Cost', cell: ({ cost }) => cost },
      ],
      advice,
    )}`
}
