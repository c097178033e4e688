/** @file The decision: its claims, what it rests on, the last safe checkpoints, and what to try after a FAIL. */
import {
  ASSUMPTION_STATES,
  ASSUMPTION_TITLES,
  type GateClaim,
  type GateOutcome,
  type GateResult,
} from '../../contract/gate.ts'
import type { Block, Leaf, Section } from '../../contract/document.ts'
import { keyOf } from '../../contract/keys.ts'
import type { Results } from '../../contract/results.ts'
import {
  counted,
  listed as enumerated,
  percent,
  points,
  pValueText,
  stateName,
} from '../../contract/words.ts'
import { details, label, listed, paragraph, section, table } from '../blocks.ts'
import { titlesOf } from '../view.ts'

type Decided = Omit<GateResult, 'advice'>

/** The decision and its claims; benchmarks by the titles that `titleOf` gives. */
export function decisionSections(gate: Decided, titleOf: (name: string) => string): Section[] {
  const { outcome, headline, claims } = gate
  const of = gate.isDefault ? 'verdict' : 'gate'
  return [
    ...section(null, { type: 'decision', of, outcome, headline, rule: ruleText(gate) }),
    ...section('Claims', ...claimBlocks(claims, titleOf)),
  ]
}

/** For outputs in which the claims stand as sentences below it. */
export function gateSection(results: Results): Section[] {
  const { gate } = results
  if (!gate) return decisionSection(results)
  const along = [
    ...gate.lastSafe.map(({ sentence }) => sentence),
    ...named(
      gate.allowedDifferences,
      (all) => `Overruled by name: differences in ${all} were allowed.`,
    ),
    ...named(gate.notGated, (all) => `Measured, and not named by the gate: ${all}.`),
  ]
  return [
    decisionSections(gate, titlesOf(results)),
    listed('Along the training', along),
    adviceSection(results),
  ].flat()
}

/** The decision alone. */
export function decisionSection({ gate, verdict }: Results): Section[] {
  if (gate) return decisionSections({ ...gate, claims: [] }, (name) => name)
  const { outcome, headline } = verdict
  return section(null, { type: 'decision', of: 'verdict', outcome, headline, rule: '' })
}

export const adviceSection = ({ gate }: Results): Section[] =>
  listed(
    'What to try next',
    (gate?.advice ?? []).map(({ what, cost }) => `${what} Cost: ${cost}.`),
  )

function ruleText({ alpha, rule, isDefault }: Decided): string {
  const whose = isDefault
    ? `No gate was given, so the default one decides: ${points(rule?.margin ?? 0)} of harm on any benchmark, and the default floors and ceilings. `
    : ''
  return `${whose}A claim passes when the harm is shown to be below its margin at α = ${alpha}, by the exact unconditional test of paired proportions, or a rate to be within its bound by the exact binomial test; the gate passes when every claim does. It fails when a harm is shown to be above its margin, with Holm’s correction over all claims.`
}

const HEADS = ['Variant', 'Benchmark', 'Margin', 'Below it', 'Above it']

const WORSE: readonly GateOutcome[] = ['PASS', 'INCONCLUSIVE', 'NOT COMPARABLE', 'FAIL']

/** The worse the greater. */
export const weightOf = ({ outcome }: Pick<GateClaim, 'outcome'>): number => WORSE.indexOf(outcome)

/** Beside the claim on the benchmark's rate. */
export const isBeside = ({ bound, category, context, measures, against }: GateClaim): boolean =>
  (bound ?? category ?? context ?? measures ?? against) !== undefined

interface Shown {
  readonly shown: readonly GateClaim[]
  readonly folded: readonly GateClaim[]
}

/** Claims on rates with those beside them that turn out worse; the rest is folded. */
export function shownClaims(claims: readonly GateClaim[]): Shown {
  const placeOf = ({ arm, seed, benchmark }: GateClaim) => keyOf(arm, seed, benchmark)
  const rates = new Map(
    claims.filter((claim) => !isBeside(claim)).map((claim) => [placeOf(claim), weightOf(claim)]),
  )
  const isFolded = (claim: GateClaim) =>
    isBeside(claim) && weightOf(claim) <= (rates.get(placeOf(claim)) ?? 0)
  return {
    shown: claims.filter((claim) => !isFolded(claim)),
    folded: claims.filter(isFolded),
  }
}

/** "41 further claims on floors and ceilings: 40 PASS and 1 FAIL" */
export function foldedText(folded: readonly GateClaim[]): string {
  const outcomes = WORSE.flatMap((outcome) => {
    const n = folded.filter((claim) => claim.outcome === outcome).length
    return n === 0 ? [] : [`${n} ${outcome}`]
  })
  return `${counted(folded.length, 'further claim')} on ${enumerated(kindsOf(folded))}: ${enumerated(outcomes)}`
}

function claimBlocks(claims: readonly GateClaim[], titleOf: (name: string) => string): Block[] {
  const { shown, folded } = shownClaims(claims)
  const blockOf = (of: readonly GateClaim[]) => findingsOf(of, titleOf)
  const first = shown.length === 0 ? [] : [blockOf(shown)]
  if (folded.length === 0) return first
  return [
    ...first,
    paragraph(`${foldedText(folded)}.`),
    details('The further claims', blockOf(folded)),
  ]
}

const kindsOf = (claims: readonly GateClaim[]): string[] => [
  ...(claims.some(({ bound }) => bound) ? ['floors and ceilings'] : []),
  ...(claims.some(({ measures, bound }) => measures && !bound) ? ['degenerate replies'] : []),
  ...(claims.some(({ category }) => category !== undefined) ? ['categories'] : []),
  ...(claims.some(({ context }) => context !== undefined) ? ['contexts'] : []),
  ...(claims.some(({ against }) => against) ? ['the loss since the reference'] : []),
]

const findingsOf = (claims: readonly GateClaim[], titleOf: (name: string) => string): Leaf => ({
  type: 'findings',
  heads: HEADS,
  rows: claims.map((claim) => ({
    outcome: claim.outcome,
    cells: [
      stateName(claim),
      titleOf(claim.benchmark),
      marginText(claim),
      pText(claim.pBelow),
      pText(claim.pAbove),
    ],
    sentence: claim.sentence,
  })),
})

/** "5 points", or "≥ 80.0 %" of a bound. */
export const marginText = ({ bound, margin }: GateClaim): string =>
  bound ? `${bound.kind === 'floor' ? '≥' : '≤'} ${percent(margin)}` : points(margin)

/** What a decision rests on; empty where there was none. */
export function assumptionsSection({ gate }: { readonly gate: Decided | null }): Section[] {
  const assumptions = gate?.assumptions ?? []
  return section(
    'What this rests on',
    assumptions.length > 0 &&
      table(assumptions, [
        label('Assumption', ({ name }) => ASSUMPTION_TITLES[name]),
        label('In this run', ({ state }) => ASSUMPTION_STATES[state]),
        label('How', ({ how }) => how),
      ]),
  )
}

const named = (names: readonly string[], sentenceOf: (all: string) => string): string[] =>
  names.length === 0 ? [] : [sentenceOf(enumerated(names))]

const pText = (p: number | null) => (p === null ? '–' : pValueText(p))
