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

export function gateSection(results: Results): Section[] {
  const { gate, verdict } = results
  if (!gate) {
    const { outcome, headline } = verdict
    return section(null, { type: 'decision', of: 'verdict', outcome, headline, rule: '' })
  }
  const { lastSafe, advice } = gate
  const along = [
    ...lastSafe.map(({ sentence }) => sentence),
    ...named(
      gate.allowedDifferences,
      (all) => `Overruled by name: differences in ${all} were allowed.`,
    ),
    ...named(gate.notGated, (all) => `Measured, and not named by the gate: ${all}.`),
  ]
  return [
    decisionSections(gate, titlesOf(results)),
    listed('Along the training', along),
    listed(
      'What to try next',
      advice.map(({ what, cost }) => `${what} Cost: ${cost}.`),
    ),
  ].flat()
}

function ruleText({ alpha, rule, isDefault }: Decided): string {
  const whose = isDefault
    ? `No gate was given, so the default one decides: ${points(rule?.margin ?? 0)} of harm on any benchmark, and the default floors and ceilings. `
    : ''
  return `${whose}A claim passes when the harm is shown to be below its margin at α = ${alpha}, by the exact unconditional test of paired proportions, or a rate to be within its bound by the exact binomial test; the gate passes when every claim does. It fails when a harm is shown to be above its margin, with Holm’s correction over all claims.`
}

const HEADS = ['Variant', 'Benchmark', 'Margin', 'Below it', 'Above it']

const WORSE: readonly GateOutcome[] = ['PASS', 'INCONCLUSIVE', 'NOT COMPARABLE', 'FAIL']

/** Beside the claim on the benchmark's rate. */
const isBeside = ({ bound, category, context, measures, against }: GateClaim): boolean =>
  (bound ?? category ?? context ?? measures ?? against) !== undefined

/** Claims on rates, and of those beside them each that turns out worse; the rest is counted, and folded. */
function claimBlocks(claims: readonly GateClaim[], titleOf: (name: string) => string): Block[] {
  const placeOf = ({ arm, seed, benchmark }: GateClaim) => keyOf(arm, seed, benchmark)
  const weightOf = ({ outcome }: GateClaim) => WORSE.indexOf(outcome)
  const rates = new Map(
    claims.filter((claim) => !isBeside(claim)).map((claim) => [placeOf(claim), weightOf(claim)]),
  )
  const isFolded = (claim: GateClaim) =>
    isBeside(claim) && weightOf(claim) <= (rates.get(placeOf(claim)) ?? 0)
  const [shown, folded] = [claims.filter((claim) => !isFolded(claim)), claims.filter(isFolded)]
  const blockOf = (of: readonly GateClaim[]) => findingsOf(of, titleOf)
  if (folded.length === 0) return shown.length === 0 ? [] : [blockOf(shown)]
  const outcomes = WORSE.flatMap((outcome) => {
    const n = folded.filter((claim) => claim.outcome === outcome).length
    return n === 0 ? [] : [`${n} ${outcome}`]
  })
  const text = `${counted(folded.length, 'further claim')} on ${enumerated(kindsOf(folded))}: ${enumerated(outcomes)}`
  return [
    ...(shown.length === 0 ? [] : [blockOf(shown)]),
    paragraph(`${text}.`),
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

const marginText = ({ bound, margin }: GateClaim): string =>
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
