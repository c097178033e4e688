/** @file Every remedy that was tried: how its value was chosen on one half of the prompts, and what it is worth on the other. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { firstJudge, isBase, keyOf } from '../../contract/keys.ts'
import type { SubjectIdentity, SubjectKey } from '../../contract/rows.ts'
import type { RemedyRates, RemedyResult } from '../../contract/subjects/remedies.ts'
import type { RemedyState } from '../../contract/subjects/remedy-state.ts'
import { halvesOf, type Half } from '../causes/halves.ts'
import { judgedOn } from '../causes/interventions.ts'
import { judgedStates } from '../contesting.ts'
import { decide, defaultGate } from '../gate/decide.ts'
import { storedGate } from '../gate/gate-file.ts'
import { rateOf, type Judged } from '../judged.ts'
import { compare } from '../paired.ts'
import { chosenOf, movedIn, toBounded, triedOf } from './choice.ts'

/** By fine-tune and remedy, in the order of their first subjects. `margin` is of the gate where the run has none of its own. */
export function remediesOf(rows: AuditRows, margin: number): RemedyResult[] {
  const made = rows.subjects.flatMap(({ arm, seed, derivation }) =>
    derivation?.kind === 'remedy' ? [{ arm, seed, state: derivation }] : [],
  )
  if (made.length === 0) return []
  const found = {
    rows,
    margin,
    on: judgedOn(rows, 'chosen-on'),
    judged: judgedOn(rows, 'judged-on'),
  }
  const groups = Map.groupBy(made, ({ seed, state }) => keyOf(state.of, seed, state.remedy))
  return [...groups.values()].flatMap((group) => remedyOf(group, found) ?? [])
}

interface Made extends Pick<SubjectIdentity, 'arm' | 'seed'> {
  readonly state: RemedyState
}

interface Found {
  readonly rows: AuditRows
  readonly margin: number
  /** On the half that is chosen on, and on the other. */
  readonly on: readonly Judged[]
  readonly judged: readonly Judged[]
}

/** Undefined as long as no value was measured. */
function remedyOf(group: readonly Made[], found: Found): RemedyResult | undefined {
  const { rows, on } = found
  const { seed, state } = group[0]!
  const { of: arm, remedy, title, parameter, control, price } = state
  const step = lastStep(on, { arm, seed })
  const key = { arm, seed, step }
  const { tried, ...sides } = triedOf(rows, on, { ...key, remedy, price })
  if (tried.length === 0) return undefined
  const value = chosenOf(tried)
  const keyIn = (role: RemedyState['role']) => {
    const own = group.find((each) => each.state.role === role && each.state.value === value)
    return own && { arm: own.arm, seed, step }
  }
  const [chosen, against] = [keyIn('chosen'), keyIn('control')]
  const trial = keyIn('tried')
  const called = `${remedy} of ${arm}`
  return {
    ...{ ...key, remedy, title, parameter, control, price },
    ...sides,
    tried,
    chosen: value,
    moved: chosen ? movedIn(rows.metrics, chosen) : null,
    controlMoved: against ? movedIn(rows.metrics, against) : null,
    rates: chosen && against ? ratesOf(found.judged, { tuned: key, chosen, against }) : [],
    onChosen: trial ? decidedOn(found, 'chosen-on', trial, called) : null,
    verdict: chosen ? decidedOn(found, 'judged-on', chosen, called) : null,
  }
}

const lastStep = (states: readonly Judged[], { arm, seed }: Pick<SubjectKey, 'arm' | 'seed'>) =>
  states
    .filter(({ subject }) => subject.arm === arm && subject.seed === seed)
    .reduce((last, { subject }) => Math.max(last, subject.step), 0)

interface Sides {
  readonly tuned: SubjectKey
  readonly chosen: SubjectKey
  readonly against: SubjectKey
}

/** Of benchmarks that all four states were asked, contexts among them. */
function ratesOf(states: readonly Judged[], { tuned, chosen, against }: Sides): RemedyRates[] {
  const byKey = new Map(
    states.map((state) => [keyOf(...placeOf(state.subject), state.benchmark.name), state]),
  )
  return states
    .filter(({ subject }) => isBase(subject))
    .flatMap((base) => {
      const at = (key: SubjectKey) => byKey.get(keyOf(...placeOf(key), base.benchmark.name))
      const [before, after, control] = [at(tuned), at(chosen), at(against)]
      return before && after && control ? [ratesOn(base, before, after, control)] : []
    })
}

const placeOf = ({ arm, seed, step }: SubjectKey) => [arm, seed, step] as const

function ratesOn(base: Judged, tuned: Judged, chosen: Judged, control: Judged): RemedyRates {
  const rate = ({ benchmark: { role }, replies }: Judged) =>
    toBounded(rateOf(role, replies.values()))
  const [was, lost] = [rate(base).estimate, rate(tuned).estimate]
  const back = (state: Judged) => {
    const { estimate } = rate(state)
    if (was === null || lost === null || estimate === null || was === lost) return null
    return (estimate - lost) / (was - lost)
  }
  return {
    benchmark: base.benchmark.name,
    base: rate(base),
    tuned: rate(tuned),
    chosen: rate(chosen),
    control: rate(control),
    share: back(chosen),
    controlShare: back(control),
    againstTuned: differenceOf(tuned, chosen),
    againstControl: differenceOf(control, chosen),
  }
}

function differenceOf(before: Judged, after: Judged) {
  const { difference, lower, upper, pValue, n } = compare(before, after)
  return { difference, lower, upper, pValue, n }
}

/** The gate of the run, as it decides on a candidate that was asked the prompts of this half alone. */
function decidedOn({ rows, margin }: Found, half: Half, key: SubjectKey, called: string) {
  const own = onHalf(rows, half, key)
  const states = judgedStates(own, rows.run.id)
  const [before, made] = [states.find(isBase), states.find(({ arm }) => arm === key.arm)]
  if (!before || !made) return null
  const after = { ...made, arm: called }
  const plain = rows.benchmarks.filter(({ context }) => !context)
  const judges = new Map(plain.map((row) => [row.name, firstJudge(row)]))
  const gate = storedGate(rows.run.config) ?? defaultGate(margin)
  const { outcome, headline, claims } = decide(gate, {
    against: [{ before, after }],
    steps: [],
    judges,
    looked: rows.looked,
  })
  const failed = claims.flatMap((claim) => (claim.outcome === 'FAIL' ? claim.role : []))
  return { outcome, headline, failed: [...new Set(failed)] }
}

/** Rows of the base and one state on one half, its benchmarks with as many prompts as are in it. */
function onHalf(rows: AuditRows, half: Half, key: SubjectKey): AuditRows {
  const halfOf = halvesOf(rows)
  const isOwn = (row: SubjectKey) => isBase(row) || (row.arm === key.arm && row.seed === key.seed)
  const isIn = (row: SubjectKey & { benchmark: string; sampleId: string }) =>
    isOwn(row) && halfOf(row) === half
  const benchmarks = rows.benchmarks.filter(({ context }) => half === 'judged-on' || !context)
  const evaluations = rows.evaluations.filter(isOwn)
  const asked = new Map(
    evaluations.flatMap((row) => (isBase(row) ? [] : [[row.benchmark, row.samples]])),
  )
  const names = new Set(benchmarks.map(({ name }) => name))
  return {
    ...rows,
    benchmarks: benchmarks.map((row) => ({ ...row, samples: asked.get(row.name) ?? row.samples })),
    replies: rows.replies.filter(isIn),
    verdicts: rows.verdicts.filter(isIn),
    evaluations: evaluations.filter(({ benchmark }) => names.has(benchmark)),
  }
}
