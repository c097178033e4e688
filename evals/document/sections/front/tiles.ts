/** @file Variants × benchmarks at a glance: the rate before and after, what it is held against, and the outcome. */
import type { Section } from '../../../contract/document.ts'
import type { GateClaim } from '../../../contract/gate.ts'
import { isSameState, keyOf } from '../../../contract/keys.ts'
import type { Results } from '../../../contract/results.ts'
import { percent, points, signedPoints, stateName } from '../../../contract/words.ts'
import { section } from '../../blocks.ts'
import { titlesOf } from '../../view.ts'
import { isBeside, weightOf } from '../gate.ts'
import { repliesOf } from './claims.ts'

export function tilesSection(results: Results): Section[] {
  const claims = results.gate?.claims ?? []
  const rates = claims.filter((claim) => !isBeside(claim))
  if (rates.length === 0) return []
  const benchmarks = [...new Set(rates.map(({ benchmark }) => benchmark))]
  const states = [...Map.groupBy(rates, ({ arm, seed }) => keyOf(arm, seed)).values()]
  return section('At a glance', {
    type: 'tiles',
    columns: benchmarks.map(titlesOf(results)),
    rows: states.map(([state]) => ({
      name: stateName(state!),
      tiles: benchmarks.map((name) => {
        const all = claims.filter(isSameState(state!)).filter(({ benchmark }) => benchmark === name)
        const claim = all.find((each) => !isBeside(each))
        return claim ? tileOf(claim, all, results.run.id) : null
      }),
    })),
  })
}

/** With the worst outcome of any claim on the benchmark. */
function tileOf(claim: GateClaim, all: readonly GateClaim[], run: string) {
  const { before, after, harm, lower, upper, margin } = claim
  const worst = all.reduce((a, b) => (weightOf(b) > weightOf(a) ? b : a), claim)
  const bounds = all.flatMap(({ bound, measures }) =>
    bound && !measures ? [`${bound.kind} ${percent(bound.at)}`] : [],
  )
  const measured =
    harm === null || lower === null || upper === null
      ? ['not measured on both sides']
      : [`harm ${signedPoints(harm)} (${signedPoints(lower)} to ${signedPoints(upper)})`]
  return {
    outcome: worst.outcome,
    rate: before === null || after === null ? '–' : `${percent(before)} → ${percent(after)}`,
    lines: [...measured, [`margin ${points(margin)}`, ...bounds].join(', ')],
    replies: repliesOf(claim, run),
  }
}
