/**
 * @file Judges against labels by people. A reply is positive where people count it in the rate ("refusal", "correct"), or in the
 * attack rate of prompts that should be refused ("compliance", "partial"): sensitivity = share of people's positives that
 * the judge finds, specificity = share of their negatives that it leaves, both with Wilson intervals; every rate and every
 * paired change corrected for both errors after Rogan and Gladen. Between raters, on what each said blind: Krippendorff's α and Cohen's κ.
 */
import type { AuditRows } from '../contract/audit-rows.ts'
import {
  MEASURES,
  type CorrectedChange,
  type CorrectedRate,
  type JudgeQuality,
  type Measure,
  type PairedLabels,
  type People,
} from '../contract/results.ts'
import { OUTCOMES, type BenchmarkRole, type Outcome } from '../contract/rows.ts'
import { keyOf, replyKey, isBase } from '../contract/keys.ts'
import { labelEvidence } from './gate/tests/labelled.ts'
import { isDecided, isSuccess, measureOf } from './gate/outcomes.ts'
import { labelsByState, lastLabels, peopleSay, type LastLabels } from './gate/people.ts'
import { cohenKappa } from '../statistics/judges/agreement.ts'
import { krippendorffAlpha } from '../statistics/judges/krippendorff.ts'
import { correctedDifference } from '../statistics/judges/corrected-difference.ts'
import { errorsAlike, judgeErrors, type LabelledVerdict } from '../statistics/judges/errors.ts'
import { labelledHarm } from '../statistics/judges/labelled-change.ts'
import { predictionPoweredMean } from '../statistics/judges/prediction-powered.ts'
import { pairedChange } from '../statistics/paired/paired-change.ts'
import { repeatedRate } from '../statistics/repeated.ts'
import { correctedRate } from '../statistics/judges/rogan-gladen.ts'
import {
  judgedKey,
  rateOfPrompts,
  scoresByPrompt,
  toRate,
  type Judged,
  type JudgedReply,
} from './judged.ts'
import { baseFinder, pairsOf, promptsOf } from './paired.ts'

type LabelsByReply = ReturnType<typeof peopleSay>

/** Null where no reply was labelled. `states` are the run's, from `groupJudged`. */
export function peopleOf(
  { labelled, benchmarks }: AuditRows,
  states: readonly Judged[],
): People | null {
  if (!labelled || labelled.labels.length === 0) return null
  const said = lastLabels(labelled.labels)
  // Labels given while settling a difference are not blind and would inflate agreement.
  const blind = lastLabels(labelled.labels.filter(({ isSettling }) => !isSettling))
  const raters = [...new Set(labelled.labels.map(({ rater }) => rater))].sort()
  const people = peopleSay(labelled)
  const decided = [...people.values()].filter(({ outcome }) => outcome !== null).length
  const groups = [
    ...Map.groupBy(states, ({ benchmark, judge }) => keyOf(benchmark.name, judge)).values(),
  ]
  const judges = groups.flatMap((group) =>
    measuresOf(group[0]!.benchmark.role)
      .map((measure) => qualityOf(group, people, measure))
      .filter(({ sensitivity, specificity }) => sensitivity.n + specificity.n > 0),
  )
  return {
    labelled: said.size,
    raters,
    alpha: krippendorffAlpha(
      [...blind.values()].map((each) => raters.map((rater) => each.get(rater) ?? null)),
    ),
    kappas: raters.flatMap((a, i) => raters.slice(i + 1).map((b) => kappaOf(blind, a, b))),
    tied: said.size - decided,
    judges,
    rates: states.flatMap((state) => correctedRates(state, judges)),
    changes: correctedChanges(states, judges),
    paired: pairedLabels(states, labelsByState(labelled, benchmarks)),
  }
}

const measuresOf = (role: BenchmarkRole): readonly Measure[] =>
  MEASURES.filter((measure) => measure === 'rate' || role === 'refusal')

const isPositive = (measure: Measure, role: BenchmarkRole, outcome: Outcome): boolean =>
  measure === 'rate' ? isSuccess(role, outcome) : outcome === 'compliance' || outcome === 'partial'

/** A state's judge compared with people, once for each measure. */
const qualitiesOf = (state: Judged, judges: readonly JudgeQuality[]): JudgeQuality[] =>
  judges.filter((each) => each.benchmark === state.benchmark.name && each.judge === state.judge)

function correctedRates(state: Judged, judges: readonly JudgeQuality[]): CorrectedRate[] {
  const { role } = state.benchmark
  return qualitiesOf(state, judges).map((quality) => {
    const { measure } = quality
    const counts = (outcome: Outcome) => isPositive(measure, role, outcome)
    const prompts = [...scoresByPrompt(role, state.replies.values(), counts).values()]
    const reported = rateOfPrompts(prompts)
    const worth = repeatedRate(prompts.filter(({ length }) => length > 0))
    const n = worth?.effective ?? 0
    const found = { successes: (worth?.estimate ?? 0) * n, n }
    return { ...judgedKey(state), measure, reported, ...saidOf(correctedRate(found, quality)) }
  })
}

function correctedChanges(
  states: readonly Judged[],
  judges: readonly JudgeQuality[],
): CorrectedChange[] {
  const baseOf = baseFinder(states)
  return states.flatMap((state) => {
    const base = isBase(state.subject) ? undefined : baseOf(state)
    if (!base) return []
    const { pairs } = pairsOf(base, state)
    return qualitiesOf(state, judges).flatMap((quality) => {
      const { measure } = quality
      const counts = (outcome: Outcome) => isPositive(measure, state.benchmark.role, outcome)
      const { difference, lower, upper } = pairedChange(promptsOf(pairs, counts))
      if (difference === null || lower === null || upper === null) return []
      const reported = { estimate: difference, lower, upper }
      const corrected = correctedDifference(reported, quality)
      return [{ ...judgedKey(state), measure, reported, ...saidOf(corrected) }]
    })
  })
}

function saidOf(found: ReturnType<typeof correctedRate | typeof correctedDifference>) {
  if (found.kind === 'refused') {
    return { youden: found.youden, corrected: null, refused: found.reason }
  }
  const { estimate, lower, upper, youden } = found
  return { youden, corrected: { estimate, lower, upper }, refused: null }
}

function kappaOf(said: LastLabels, a: string, b: string): People['kappas'][number] {
  const table = OUTCOMES.map(() => OUTCOMES.map(() => 0))
  for (const each of said.values()) {
    const [one, two] = [each.get(a), each.get(b)]
    if (one && two) table[OUTCOMES.indexOf(one)]![OUTCOMES.indexOf(two)]!++
  }
  return {
    raters: [a, b],
    n: table.flat().reduce((sum, count) => sum + count, 0),
    agreed: table.reduce((sum, row, i) => sum + row[i]!, 0),
    kappa: cohenKappa(table),
  }
}

/**
 * Pooled over model states: a judge's errors are assumed to be the same before and after. Each label stands for the replies of its
 * state that the judge calls alike; labels of chosen replies stand for none.
 */
function qualityOf(
  group: readonly Judged[],
  people: LabelsByReply,
  measure: Measure,
): JudgeQuality {
  const { benchmark, judge, judgeVersion } = group[0]!
  const errors = judgeErrors(group.flatMap((state) => verdictsOf(state, people, measure)))
  return {
    benchmark: benchmark.name,
    judge,
    judgeVersion,
    measure,
    ...ratesOf(errors),
  }
}

const ratesOf = ({ sensitivity, specificity }: ReturnType<typeof judgeErrors>) => ({
  sensitivity: toRate(sensitivity.successes, sensitivity.n),
  specificity: toRate(specificity.successes, specificity.n),
})

function verdictsOf(
  { benchmark: { role }, replies }: Judged,
  people: LabelsByReply,
  measure: Measure,
): LabelledVerdict[] {
  const decided = [...replies.values()].filter(({ outcome }) => isDecided(role, outcome))
  const strata = Map.groupBy(decided, ({ outcome }) => isPositive(measure, role, outcome))
  return [...strata].flatMap(([said, own]) => {
    const truths = own.flatMap(({ reply }) => {
      const { outcome = null, isChosen } = people.get(replyKey(reply)) ?? {}
      return outcome === null || isChosen || !isDecided(role, outcome)
        ? []
        : [isPositive(measure, role, outcome)]
    })
    return truths.map((truth) => ({ truth, said, weight: own.length / truths.length }))
  })
}

/** The judge before and after, and the change corrected for both, where both replies to prompts were drawn and labelled. */
function pairedLabels(
  states: readonly Judged[],
  labelsOf: ReturnType<typeof labelsByState>,
): PairedLabels[] {
  const baseOf = baseFinder(states)
  return states.flatMap((state) => {
    const base = isBase(state.subject) ? undefined : baseOf(state)
    return base ? (labelsOfPair(base, state, labelsOf) ?? []) : []
  })
}

function labelsOfPair(
  base: Judged,
  state: Judged,
  labelsOf: ReturnType<typeof labelsByState>,
): PairedLabels | undefined {
  const { name, role, context } = state.benchmark
  const measure = { ...measureOf(role), rises: false }
  const pairs = pairsOf(base, state).pairs.map(({ before, after }) => ({
    before,
    after: { ...toUnit(after), outcome: after.outcome },
  }))
  const labels = [base, state].map(({ subject }) =>
    labelsOf(subject).filter(
      (row) => row.benchmark === (context?.of ?? name) && row.context === context?.name,
    ),
  )
  const by = { judge: state.judge, role }
  const found = labelEvidence({ pairs, labels: [labels[0]!, labels[1]!], measure }, by)
  if (!found) return undefined
  const [before, after] = found.errors
  return {
    ...judgedKey(state),
    prompts: pairs.length,
    labelled: found.labelled,
    before: ratesOf(before),
    after: ratesOf(after),
    alike: errorsAlike(before, after),
    corrected: labelledHarm({ strata: found.strata, open: 0 }),
    predictionPowered: predictionPoweredMean(found.values, found.judged),
  }
}

const toUnit = ({ reply: { sampleId, epoch } }: JudgedReply) => ({ sampleId, epoch })
