/** @file The effect of scaling intruders down on each fine-tune: rates, and the same prompts before and after. */
import type { AuditRows } from '../contract/audit-rows.ts'
import { MITIGATION_METRICS as NAMES, MITIGATIONS, type Mitigated } from '../contract/mitigation.ts'
import type { MitigationArm } from '../contract/results.ts'
import type { MetricRow, SubjectKey } from '../contract/rows.ts'
import { keyOf, stateKey, isSameState } from '../contract/keys.ts'
import { groupJudged, rateOf, type Judged } from './judged.ts'
import { compare } from './paired.ts'

/** The rows without states that were made of a fine-tune, which are held beside it and are no candidates themselves. */
export function withoutMade(rows: AuditRows): AuditRows {
  const made = new Set(
    rows.subjects.flatMap(({ arm, mitigation, derivation }) =>
      mitigation || derivation ? arm : [],
    ),
  )
  if (made.size === 0) return rows
  const isPlain = ({ arm }: { readonly arm: string }) => !made.has(arm)
  return {
    ...rows,
    subjects: rows.subjects.filter(isPlain),
    replies: rows.replies.filter(isPlain),
    verdicts: rows.verdicts.filter(isPlain),
    metrics: rows.metrics.filter(isPlain),
    evaluations: rows.evaluations.filter(isPlain),
  }
}

const mitigatedArms = ({ subjects }: Pick<AuditRows, 'subjects'>): ReadonlyMap<string, Mitigated> =>
  new Map(subjects.flatMap(({ arm, mitigation }) => (mitigation ? [[arm, mitigation]] : [])))

/** By fine-tune, then λ, then form. */
export function mitigationOf(rows: AuditRows): MitigationArm[] {
  const mitigated = mitigatedArms(rows)
  if (!rows.evaluations.some(({ arm }) => mitigated.has(arm))) return []
  const judged = groupJudged(rows)
  const finder = byState(judged)
  const groups = Map.groupBy(
    judged.filter(({ subject }) => mitigated.has(subject.arm)),
    ({ subject }) => stateKey(subject),
  )
  return [...groups.values()]
    .map((states) => armOf(states, mitigated.get(states[0]!.subject.arm)!, finder, rows.metrics))
    .sort(
      (a, b) =>
        inOrder(a.arm, b.arm) ||
        a.seed - b.seed ||
        a.lambda - b.lambda ||
        MITIGATIONS.indexOf(a.form) - MITIGATIONS.indexOf(b.form),
    )
}

const inOrder = (a: string, b: string) => (a === b ? 0 : a < b ? -1 : 1)

/** The same benchmark, by the same judge, of another arm at the same seed and step. */
function byState(judged: readonly Judged[]) {
  const key = (subject: SubjectKey, { benchmark, judge }: Judged) =>
    keyOf(stateKey(subject), benchmark.name, judge)
  const states = new Map(judged.map((state) => [key(state.subject, state), state]))
  return (state: Judged, arm: string) => states.get(key({ ...state.subject, arm }, state))
}

function armOf(
  states: readonly Judged[],
  { of, form, lambda }: Mitigated,
  finder: ReturnType<typeof byState>,
  metrics: readonly MetricRow[],
): MitigationArm {
  const { subject } = states[0]!
  const own = metrics.filter(isSameState(subject))
  const value = (name: string) => own.find((row) => row.name === name)?.value ?? null
  return {
    arm: of,
    seed: subject.seed,
    step: subject.step,
    form,
    lambda,
    matrices: value(NAMES.matrices) ?? 0,
    ofMatrices: value(NAMES.ofMatrices) ?? 0,
    directions: value(NAMES.directions) ?? 0,
    changeKept: value(NAMES.changeKept) ?? 1,
    rates: states.map(({ benchmark, judge, replies }) => ({
      benchmark: benchmark.name,
      judge,
      rate: rateOf(benchmark.role, replies.values()),
    })),
    comparisons: states.flatMap((state) => {
      const before = finder(state, of)
      return before ? [{ ...compare(before, state), arm: of }] : []
    }),
    neutral: {
      estimate: value(NAMES.neutral),
      lower: value(NAMES.neutralLower),
      upper: value(NAMES.neutralUpper),
    },
  }
}
