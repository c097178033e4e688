/** @file The gate: its decision, every claim, the last safe checkpoints, and what to try after a FAIL. */
import type { Section } from '../../contract/document.ts'
import type { Results } from '../../contract/results.ts'
import { listed as enumerated, points, pValueText, stateName } from '../../contract/words.ts'
import { listed, section } from '../blocks.ts'
import { titlesOf } from '../view.ts'

export function gateSection(results: Results): Section[] {
  const { gate } = results
  if (!gate) return []
  const { outcome, headline, alpha, claims, lastSafe, advice } = gate
  const titleOf = titlesOf(results)
  const rule = `A claim passes when the harm is shown to be below its margin at α = ${alpha}, by the exact unconditional test of paired proportions; the gate passes when every claim does. It fails when a harm is shown to be above its margin, with Holm’s correction over all claims.`
  const rows = claims.map((claim) => ({
    outcome: claim.outcome,
    cells: [
      stateName(claim),
      titleOf(claim.benchmark),
      points(claim.margin),
      pText(claim.pBelow),
      pText(claim.pAbove),
    ],
    sentence: claim.sentence,
  }))
  const along = [
    ...lastSafe.map(({ sentence }) => sentence),
    ...named(
      gate.allowedDifferences,
      (all) => `Overruled by name: differences in ${all} were allowed.`,
    ),
    ...named(gate.notGated, (all) => `Measured, and not named by the gate: ${all}.`),
  ]
  return [
    section(null, { type: 'decision', of: 'gate', outcome, headline, rule }),
    section('Claims', rows.length > 0 && { type: 'findings', heads: HEADS, rows }),
    listed('Along the training', along),
    listed(
      'What to try next',
      advice.map(({ what, cost }) => `${what} Cost: ${cost}.`),
    ),
  ].flat()
}

const HEADS = ['Variant', 'Benchmark', 'Margin', 'Below it', 'Above it']

const named = (names: readonly string[], sentenceOf: (all: string) => string): string[] =>
  names.length === 0 ? [] : [sentenceOf(enumerated(names))]

const pText = (p: number | null) => (p === null ? '–' : pValueText(p))
