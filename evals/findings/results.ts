/** @file The results of an audit, computed from stored rows alone, so that `touchstone report` repeats them byte for byte. */
import { z } from 'zod'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { CategoryRate, Results, SeedSpread, SpectrumTotal } from '../contract/results.ts'
import type { ArtifactRow, SpectrumRow } from '../contract/rows.ts'
import { keyOf, stateKey, firstJudge } from '../contract/keys.ts'
import { meanAndSd } from '../statistics/summary.ts'
import { agreementOf, disagreementsOf, judgesTogether } from './agreement.ts'
import {
  groupJudged,
  judgedKey,
  lastStates,
  rateOf,
  toEvaluation,
  type Judged,
  type Measured,
} from './judged.ts'
import { causesOf } from './causes/causes.ts'
import { DEFAULT_MARGIN } from './gate/decide.ts'
import { gateOf, trajectoryOf } from './gated.ts'
import { peopleOf } from './judge-quality.ts'
import { limitsOf } from './limits.ts'
import { originLimits, originsOf } from './origins.ts'
import { baseFinder, compare, flipsOf, retentionOf } from './paired.ts'
import { routersOf } from './routers.ts'
import { meanScores } from './scores.ts'
import { categoryChanges, withHolm } from './several.ts'
import { matchedOf } from './matched.ts'
import { mergeLinesOf } from './merge-lines.ts'
import { mitigationOf, withoutMade } from './mitigation-results.ts'
import { remediesOf } from './remedies/remedies.ts'
import { spectrumLinks } from './spectrum-links.ts'
import { varianceSplits } from './variance.ts'
import { verdictOf } from './verdict.ts'

export function buildResults(all: AuditRows): Results {
  const rows = withoutMade(all)
  const results = measuredOf(rows, all)
  const trajectory = trajectoryOf(rows)
  const margin = marginOf(rows.run.config)
  const gate = gateOf(rows, results, { ...trajectory, margin })
  const mergeLines = mergeLinesOf(rows.subjects, gate)
  const routers = routersOf(rows)
  const causes = causesOf(all)
  const origins = originsOf(all)
  const remedies = remediesOf(all, margin)
  return {
    ...results,
    verdict: verdictOf(results, gate, margin),
    gate,
    changePoints: trajectory.changePoints,
    ...(mergeLines.length > 0 && { mergeLines }),
    ...(routers.length > 0 && { routers }),
    ...(causes && { causes }),
    ...(origins.length > 0 && { origins }),
    ...(remedies.length > 0 && { remedies }),
    limits: [...limitsOf(results, rows, gate), ...originLimits(origins)],
  }
}

function measuredOf(rows: AuditRows, all: AuditRows): Measured {
  const states = groupJudged(rows)
  const last = lastStates(states)
  const baseOf = baseFinder(states)
  const fromBase = <T>(of: readonly Judged[], make: (base: Judged, state: Judged) => T): T[] =>
    of.flatMap((state) => {
      const base = state.subject.arm === 'base' ? undefined : baseOf(state)
      return base ? [make(base, state)] : []
    })
  const primary = last.filter(isPrimary)
  const evaluations = states.map(toEvaluation)
  const totals = spectrumTotals(rows.spectra)
  return {
    schemaVersion: 1,
    engine: rows.run.engine,
    run: runOf(rows),
    subjects: [...rows.subjects],
    benchmarks: [...rows.benchmarks],
    evaluations,
    categories: states.flatMap(categoriesOf),
    comparisons: withHolm(fromBase(states, compare), primary),
    categoryChanges: categoryChanges(fromBase(primary, (base, state) => [base, state] as const)),
    ...spreadsOf(states),
    metrics: [...rows.metrics],
    retention: fromBase(
      last.filter(({ benchmark }) => benchmark.role === 'capability'),
      retentionOf,
    ),
    flips: fromBase(primary, flipsOf).flat(),
    ...judgesOf(rows, states),
    spectra: [...rows.spectra],
    spectrumTotals: totals,
    spectrumLinks: spectrumLinks(totals, evaluations, rows.benchmarks),
    matched: matchedOf(rows, states),
    mitigation: mitigationOf(all),
    artifacts: rows.artifacts.filter(isListed),
    sweep: null,
  }
}

/** Not what holds results, of this run or of the pinned reference. */
const isListed = ({ content }: ArtifactRow) =>
  content?.kind !== 'output' && content?.kind !== 'reference' && content?.kind !== 'judge'

/** Spread between seeds and scores along the training. */
function spreadsOf(states: readonly Judged[]) {
  const last = lastStates(states)
  return {
    seeds: seedSpreads(last),
    variance: varianceSplits(last.filter(isPrimary)),
    scores: meanScores(states),
  }
}

const isPrimary = ({ benchmark, judge }: Judged) => judge === firstJudge(benchmark)

const judgesOf = (rows: AuditRows, states: readonly Judged[]) => ({
  agreement: agreementOf(states),
  judgesTogether: judgesTogether(states),
  people: peopleOf(rows, states),
  disagreements: disagreementsOf(states),
})

function runOf({ run, measuredUntil }: AuditRows): Results['run'] {
  const { id, kind, title, command, config } = run
  const isoTime = (ms: number) => new Date(ms).toISOString()
  const [startedAt, endedAt] = [isoTime(run.startedAt), isoTime(measuredUntil)]
  return { id, kind, title, startedAt, endedAt, command, config }
}

const WithMargin = z.object({ margin: z.number().positive().max(1) })

function marginOf(config: unknown): number {
  const parsed = WithMargin.safeParse(config)
  return parsed.success ? parsed.data.margin : DEFAULT_MARGIN
}

function categoriesOf(state: Judged): CategoryRate[] {
  const byCategory = Map.groupBy(state.replies.values(), ({ reply }) => reply.category)
  return [...byCategory].map(([category, replies]) => ({
    ...judgedKey(state),
    category,
    rate: rateOf(state.benchmark.role, replies),
  }))
}

function seedSpreads(last: readonly Judged[]): SeedSpread[] {
  const groups = Map.groupBy(last, ({ subject, benchmark, judge }) =>
    keyOf(subject.arm, benchmark.name, judge),
  )
  return [...groups.values()].flatMap((states) => {
    const rates = states.flatMap(({ subject, benchmark, replies }) => {
      const { estimate } = rateOf(benchmark.role, replies.values())
      return estimate === null ? [] : [{ seed: subject.seed, estimate }]
    })
    if (rates.length === 0) return []
    const values = rates.map(({ estimate }) => estimate)
    const { arm, benchmark, judge } = judgedKey(states[0]!)
    return {
      arm,
      benchmark,
      judge,
      seeds: rates.map(({ seed }) => seed),
      minimum: Math.min(...values),
      maximum: Math.max(...values),
      ...meanAndSd(values),
    }
  })
}

export function spectrumTotals(spectra: readonly SpectrumRow[]): SpectrumTotal[] {
  const groups = Map.groupBy(spectra, stateKey)
  return [...groups.values()].map((matrices) => {
    const { arm, seed, step } = matrices[0]!
    const ranks = matrices.flatMap(({ effectiveRankOfChange: rank }) => rank ?? [])
    const intruders = matrices.reduce((sum, row) => sum + row.intruders, 0)
    const changed = matrices.filter((row) => row.unchanged !== true)
    const unchanged = matrices.length - changed.length
    return {
      arm,
      seed,
      step,
      matrices: matrices.length,
      ...(unchanged > 0 && { unchanged }),
      slots: matrices.reduce((sum, { alignment }) => sum + alignment.length, 0),
      intruders,
      chance: chanceOf(changed, intruders),
      meanEffectiveRankOfChange: ranks.length === 0 ? null : meanAndSd(ranks).mean,
      meanRelativeChange: meanAndSd(matrices.map((row) => row.relativeChange)).mean,
    }
  })
}

/** Draw d of a model is the sum of its matrices' draws d, which are independent. */
function chanceOf(matrices: readonly SpectrumRow[], intruders: number): SpectrumTotal['chance'] {
  if (matrices.length === 0) return undefined
  const draws = Math.min(...matrices.map(({ details }) => details?.nullIntruders?.length ?? 0))
  if (draws === 0) return undefined
  const sums = Array.from({ length: draws }, (_, d) =>
    matrices.reduce((sum, { details }) => sum + details!.nullIntruders![d]!, 0),
  )
  const asMany = sums.filter((sum) => sum >= intruders).length
  const p = (1 + asMany) / (1 + draws)
  return { lowest: Math.min(...sums), highest: Math.max(...sums), draws, p }
}
