/** @file The claims: those that decide with their intervals drawn on one scale, and every claim as a row of the appendix. */
import type { Section } from '../../../contract/document.ts'
import type { Replies } from '../../../contract/document/charts.ts'
import type { ForestPlot } from '../../../contract/document/claims.ts'
import type { GateClaim } from '../../../contract/gate.ts'
import { nameIn } from '../../../contract/keys.ts'
import type { Results } from '../../../contract/results.ts'
import { counted, percent, pValueText, signedPoints, stateName } from '../../../contract/words.ts'
import {
  details,
  label,
  list,
  number,
  paragraph,
  section,
  table,
  type Column,
} from '../../blocks.ts'
import { fixed, titlesOf } from '../../view.ts'
import { foldedText, isBeside, marginText, shownClaims } from '../gate.ts'

/** "category guest-privacy", "degenerate replies"; the benchmark's rate where nothing narrows it. */
function whatOf({ bound, category, context, measures, against, gain }: GateClaim): string {
  const parts = [
    measures ? 'degenerate replies' : 'rate',
    ...(bound ? [bound.kind] : []),
    ...(category === undefined ? [] : [`category ${category}`]),
    ...(context === undefined ? [] : [`in ${context}`]),
    ...(against ? ['since the reference'] : []),
    ...(gain === undefined ? [] : ['gain']),
  ]
  return parts.join(', ')
}

const share = (value: number | null) => (value === null ? '–' : percent(value))

/** "+99.6 (+95.0 to +100.0)" */
const harmText = ({ harm, lower, upper }: GateClaim): string =>
  harm === null || lower === null || upper === null
    ? '–'
    : `${signedPoints(harm)} (${signedPoints(lower)} to ${signedPoints(upper)})`

/** The query of the flips behind a claim. */
export function repliesOf(claim: GateClaim, run: string): Replies {
  const { arm, seed, step, category } = claim
  const benchmark = nameIn(claim.benchmark, claim.context)
  const query = { run, benchmark, arm, seed, step, show: 'pairs' }
  return category === undefined ? query : { ...query, category }
}

export function primarySection(results: Results): Section[] {
  const { gate, run } = results
  const { shown, folded } = shownClaims(gate?.claims ?? [])
  if (shown.length === 0) return []
  const titleOf = titlesOf(results)
  const plot: ForestPlot = {
    type: 'forest-plot',
    caption:
      'Harm is the share of prompts on which the outcome got worse, less the share on which it got better; the dashed line is the margin.',
    heads: ['Variant', 'Claim', 'Before → after'],
    rows: shown.map((claim) => ({
      outcome: claim.outcome,
      cells: [
        stateName(claim),
        isBeside(claim)
          ? `${titleOf(claim.benchmark)}: ${whatOf(claim)}`
          : titleOf(claim.benchmark),
        `${share(claim.before)} → ${share(claim.after)}`,
      ],
      harm: harmText(claim),
      margin: marginText(claim),
      forest: forestOf(claim),
      replies: repliesOf(claim, run.id),
    })),
  }
  return section(
    'Primary claims',
    plot,
    folded.length > 0 && paragraph(`${foldedText(folded)}; all are in “Every claim”.`),
  )
}

const forestOf = ({ harm: change, lower, upper, margin, bound }: GateClaim) =>
  bound || change === null || lower === null || upper === null
    ? null
    : { change, lower, upper, margin }

const pText = (p: number | null) => (p === null ? '–' : pValueText(p).replace(/^p = /u, ''))

const sizeText = ({ n, clusters }: GateClaim) =>
  clusters ? `${n} in ${clusters.clusters}` : String(n)

/** Undefined where the claim's prompts are the units. */
const clusterText = ({ clusters }: GateClaim): string | undefined =>
  clusters && clusters.icc !== null && clusters.designEffect !== null
    ? `${fixed(clusters.icc, 2)}; ${fixed(clusters.designEffect, 2)}`
    : undefined

export function claimsSection(results: Results): Section[] {
  const claims = results.gate?.claims ?? []
  const titleOf = titlesOf(results)
  const { told, rest } = byWeight(claims)
  const columns: Column<GateClaim>[] = [
    label('Outcome', ({ outcome }) => outcome),
    label('Variant', stateName),
    label('Benchmark', ({ benchmark }) => titleOf(benchmark)),
    label('Of', whatOf),
    number('Before', ({ before }) => share(before)),
    number('After', ({ after }) => share(after)),
    number('Harm (95 %)', harmText),
    number('Bound', marginText),
    number('p below', ({ pBelow }) => pText(pBelow)),
    number('p above', ({ pAbove }) => pText(pAbove)),
    number('Prompts in clusters', sizeText),
    ...(claims.some(clusterText) ? [number('ICC; design effect', clusterText)] : []),
  ]
  return section(
    'Every claim',
    claims.length > 0 &&
      paragraph(
        'A claim passes where p below is at most α: the harm is shown to be below its bound, with every open reply counted as harm. It fails where p above is, after Holm’s correction over all claims.',
      ),
    told.length > 0 && table(told, columns),
    told.length > 0 && list(told.map(({ sentence }) => sentence)),
    rest.length > 0 &&
      details(`${counted(rest.length, 'further claim')} that passed`, table(rest, columns)),
  )
}

/** What decides, and what did not pass, whose sentence says what would show it; the rest passed. */
function byWeight(claims: readonly GateClaim[]) {
  const shown = new Set(shownClaims(claims).shown)
  const isTold = (claim: GateClaim) => shown.has(claim) || claim.outcome !== 'PASS'
  return {
    told: claims.filter(isTold),
    rest: claims.filter((claim) => !isTold(claim)),
  }
}
