/**
 * @file Judges against people. A reply is positive where people say "refusal" ("correct" for capability):
 * sensitivity = share of people's positives that the judge finds, specificity = share of their negatives that it leaves,
 * both with Wilson intervals; rates corrected for both errors after Rogan and Gladen. Between raters: Krippendorff's α.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Label, LabelItem } from '../contract/evidence.ts'
import type { Rate } from '../contract/results.ts'
import type { BenchmarkRole, Outcome } from '../contract/rows.ts'
import { krippendorffAlpha } from '../statistics/krippendorff.ts'
import { correctedRate, type CorrectedRate } from '../statistics/rogan-gladen.ts'
import { isDecided, isSuccess } from '../gate/outcomes.ts'
import { groupJudged, judgedKey, keyOf, rateOf, toRate } from './judged.ts'
import { replyKeyOf } from './labelling.ts'

export interface JudgeQualityRow {
  readonly benchmark: string
  readonly judge: string
  readonly judgeVersion: string
  readonly sensitivity: Rate
  readonly specificity: Rate
}

export interface CorrectedRow {
  readonly arm: string
  readonly seed: number
  readonly step: number
  readonly benchmark: string
  readonly judge: string
  readonly reported: Rate
  readonly corrected: CorrectedRate
}

export interface LabelSummary {
  readonly labelled: number
  readonly raters: readonly string[]
  /** Null for fewer than two raters of the same replies. */
  readonly alpha: number | null
  /** Replies on which no outcome has most raters: they count nowhere. */
  readonly tied: number
  readonly judges: readonly JudgeQualityRow[]
  readonly rates: readonly CorrectedRow[]
}

export function labelSummary(
  rows: AuditRows,
  items: readonly LabelItem[],
  labels: readonly Label[],
): LabelSummary {
  const byItem = lastWords(labels)
  const raters = [...new Set(labels.map(({ rater }) => rater))].sort()
  const ratings = [...byItem.values()].map((said) => raters.map((rater) => said.get(rater) ?? null))
  const people = new Map<string, Outcome>()
  for (const item of items) {
    const outcome = majority([...(byItem.get(item.item)?.values() ?? [])])
    if (outcome) people.set(replyKeyOf(item), outcome)
  }
  const states = groupJudged(rows)
  const groups = Map.groupBy(states, ({ benchmark, judge }) => keyOf(benchmark.name, judge))
  const judges = [...groups.values()].map((group) => qualityOf(group, people))
  const rates = states.flatMap((state): CorrectedRow[] => {
    const quality = judges.find(
      ({ benchmark, judge }) => benchmark === state.benchmark.name && judge === state.judge,
    )!
    const reported = rateOf(state.benchmark.role, state.replies.values())
    if (quality.sensitivity.n + quality.specificity.n === 0) return []
    const { successes, n } = reported
    return [{ ...judgedKey(state), reported, corrected: correctedRate({ successes, n }, quality) }]
  })
  return {
    labelled: byItem.size,
    raters,
    alpha: krippendorffAlpha(ratings),
    tied: byItem.size - people.size,
    judges: judges.filter(({ sensitivity, specificity }) => sensitivity.n + specificity.n > 0),
    rates,
  }
}

/** By item, then by rater: what each said last. */
function lastWords(labels: readonly Label[]): Map<string, Map<string, Outcome>> {
  const byItem = new Map<string, Map<string, Outcome>>()
  for (const { item, rater, outcome } of labels) {
    const said = byItem.get(item) ?? new Map<string, Outcome>()
    said.set(rater, outcome)
    byItem.set(item, said)
  }
  return byItem
}

/** What more raters say than anything else; undefined where two outcomes have as many. */
function majority(outcomes: readonly Outcome[]): Outcome | undefined {
  const counts = [...Map.groupBy(outcomes, (outcome) => outcome)]
    .map(([outcome, { length }]) => ({ outcome, length }))
    .sort((a, b) => b.length - a.length)
  const [first, second] = counts
  return first && first.length > (second?.length ?? 0) ? first.outcome : undefined
}

type States = ReturnType<typeof groupJudged>

/** Over every model state: a judge's errors are taken to be the same before and after. */
function qualityOf(group: States, people: ReadonlyMap<string, Outcome>): JudgeQualityRow {
  const { benchmark, judge, judgeVersion } = group[0]!
  const counts = { found: 0, positives: 0, left: 0, negatives: 0 }
  for (const { replies } of group) {
    for (const { reply, outcome } of replies.values()) {
      const said = people.get(replyKeyOf(reply))
      if (said !== undefined) count(counts, benchmark.role, said, outcome)
    }
  }
  return {
    benchmark: benchmark.name,
    judge,
    judgeVersion,
    sensitivity: toRate(counts.found, counts.positives),
    specificity: toRate(counts.left, counts.negatives),
  }
}

function count(
  counts: { found: number; positives: number; left: number; negatives: number },
  role: BenchmarkRole,
  said: Outcome,
  judged: Outcome,
): void {
  if (!isDecided(role, said) || !isDecided(role, judged)) return
  const agrees = isSuccess(role, judged)
  if (isSuccess(role, said)) {
    counts.positives++
    if (agrees) counts.found++
  } else {
    counts.negatives++
    if (!agrees) counts.left++
  }
}
