/**
 * @file Whether a state may stop at a look at one benchmark: every claim is shown, one is shown to fail whatever the other claims
 * of the family are, or none can be shown any more, neither to hold nor to fail. Exactly, where the best or the worst that the
 * prompts that are left could say would not change it; by futility, where the chance that they do is small or where the harm for
 * which power is wanted is itself excluded (`evals/statistics/sequential/futility.ts`).
 */
import type { GateClaim } from '../../../contract/gate.ts'
import type { GateRule } from '../../../contract/gate/rule.ts'
import type { BenchmarkRole, Outcome } from '../../../contract/rows.ts'
import { levelAt, type Look } from '../../../statistics/sequential/look.ts'
import {
  chanceToReject,
  GIVEN_UP_AT,
  givingUpLevel,
} from '../../../statistics/sequential/futility.ts'
import type { Gated } from '../claim-input.ts'
import type { ComparedJudgement, ComparedRun } from '../compared-run.ts'
import { claimsOf } from '../decide.ts'
import { benchmarkOf, type Selection } from '../selection.ts'
import type { ClaimLook } from './at-look.ts'
import { lookOf } from './claim-look.ts'

interface Looking {
  readonly gate: GateRule
  readonly gated: Pick<Gated, 'judges' | 'reference'>
  readonly before: ComparedRun
  /** Of the benchmark, as far as it was asked. */
  readonly after: ComparedRun
  readonly of: Pick<Selection, 'benchmark' | 'context'>
  /** Claims that Holm may have to weigh together, all states and benchmarks of the run counted. */
  readonly family: (claims: number) => number
}

export function mayStop(looking: Looking): boolean {
  const { gate, before, after, of, family } = looking
  const claims = claimsAt(looking, before, after)
  const look = lookOf(after, of, gate.alpha)
  if (!look || claims.every(isSettled)) return true
  const weighed = claims.filter(({ pAbove, category }) => pAbove !== null && category === undefined)
  const share = gate.alpha / Math.max(1, family(weighed.length))
  if (weighed.some(({ pAbove }) => pAbove! <= share)) return true
  const open = claims.filter((claim) => !isSettled(claim))
  const { futility, spending } = look.stopped.rule
  if (spending === 'curtailment') return !holdsAt(looking, 'best') && !failsAt(looking, share)
  const isPossible = (p: Tail, opposite: Tail, alpha: number) =>
    p == null ||
    chanceToReject(seenTail(p, opposite), look.fractions[look.at]!, lastLevel(look, alpha)) >=
      futility
  const isGivenUp = givenUpAt(looking, look, Math.max(1, family(weighed.length)))
  const isHopeless =
    open.some(
      (claim) =>
        !isPossible(claim.look?.pBelow, claim.look?.pAbove, claim.alpha) || isGivenUp.pass(claim),
    ) || !holdsAt(looking, 'best')
  return (
    isHopeless &&
    weighed.every(
      (claim) =>
        !isPossible(claim.look?.pAbove, claim.look?.pBelow, share) || isGivenUp.fail(claim),
    )
  )
}

type Tail = number | null | undefined

/**
 * How far the change that was seen lies from the margin: midway between a test's p and 1 − p of the opposite one (the mid-p where
 * both are exact). Either is made larger by what is not known yet (open replies, few clusters), which is no sign of harm or of none.
 */
const seenTail = (p: number, opposite: Tail): number =>
  opposite == null ? p : (p + 1 - opposite) / 2

/**
 * Whether a claim on the benchmark's rate excludes the harm at which a PASS, or a FAIL, of it should be likely; the claims of the
 * family share β.
 */
function givenUpAt(looking: Looking, look: ClaimLook, family: number) {
  const level = givingUpLevel(look, (look.stopped.rule.powerLoss ?? 0) / family)
  const excluded = (by: number, p: 'pAbove' | 'pBelow') => {
    if (level === 0) return []
    const gate = withMargins(looking.gate, by)
    const claims = claimsAt({ ...looking, gate }, looking.before, looking.after).filter(isOfRate)
    return claims.flatMap(({ look: seen, against }) => ((seen?.[p] ?? 1) <= level ? [against] : []))
  }
  const given = {
    pass: excluded(GIVEN_UP_AT.pass, 'pAbove'),
    fail: excluded(GIVEN_UP_AT.fail, 'pBelow'),
  }
  const isIn = (claim: GateClaim, all: typeof given.pass) =>
    isOfRate(claim) && all.includes(claim.against)
  return {
    pass: (claim: GateClaim) => isIn(claim, given.pass),
    fail: (claim: GateClaim) => isIn(claim, given.fail),
  }
}

const isOfRate = ({ measures, bound, category, gain }: GateClaim): boolean =>
  [measures, bound, category, gain].every((each) => each === undefined)

/** The gate with `by` times its margins, as far as they are of rates. */
function withMargins({ margin, benchmarks, reference, ...gate }: GateRule, by: number): GateRule {
  const scaled = (each: number) => Math.min(LARGEST_MARGIN, by * each)
  return {
    ...gate,
    ...(margin !== undefined && { margin: scaled(margin) }),
    benchmarks: Object.fromEntries(
      Object.entries(benchmarks).map(([name, { margin: own, ...named }]) => [
        name,
        { ...named, margin: scaled(own), floor: false, ceiling: false, categories: false },
      ]),
    ),
    ...(reference && {
      reference: {
        ...reference,
        ...(reference.margin !== undefined && { margin: scaled(reference.margin) }),
      },
    }),
  }
}

/** A margin is a share. */
const LARGEST_MARGIN = 1 - 1e-9

const isSettled = ({ outcome, unmeasurable }: GateClaim): boolean =>
  outcome === 'PASS' || outcome === 'NOT COMPARABLE' || unmeasurable !== undefined

const lastLevel = (look: Look, alpha: number) =>
  levelAt({ ...look, at: look.fractions.length - 1 }, alpha)

const claimsAt = (
  { gate, gated, of }: Looking,
  before: ComparedRun,
  after: ComparedRun,
): GateClaim[] =>
  claimsOf(
    gate,
    { ...gated, against: [], steps: [] },
    only(before, of.benchmark),
    only(after, of.benchmark),
  ).filter(({ benchmark, context }) => benchmark === of.benchmark && context === of.context)

const only = (run: ComparedRun, name: string): ComparedRun => ({
  ...run,
  benchmarks: run.benchmarks.filter((row) => row.name === name),
  judged: run.judged.filter(({ benchmark }) => benchmark === name),
})

type Rest = 'best' | 'worst'

/** What a reply says at its best and at its worst, by the benchmark's role. */
const SAID: Readonly<Record<BenchmarkRole, Readonly<Record<Rest, Outcome>>>> = {
  refusal: { best: 'refusal', worst: 'compliance' },
  'over-refusal': { best: 'compliance', worst: 'refusal' },
  capability: { best: 'correct', worst: 'incorrect' },
}

/** Claims on the whole at the last look, every prompt that is left being mended (`best`) or harmed. Its categories are not known. */
function claimsWith(looking: Looking, rest: Rest): GateClaim[] {
  const { before, after, of } = looking
  const { stopped, role } = benchmarkOf(after, of)!
  const { order, seen, at } = stopped!
  const ids = order.slice(seen[at]!.prompts)
  const sides = [
    [before, rest === 'best' ? 'worst' : 'best'],
    [after, rest],
  ] as const
  const [one, two] = sides.map(([run, said]) => goneOn(run, looking.of, ids, SAID[role][said]))
  return claimsAt(looking, one!, two!).filter(({ category }) => category === undefined)
}

const holdsAt = (looking: Looking, rest: Rest) => claimsWith(looking, rest).every(isSettled)

const failsAt = (looking: Looking, share: number) =>
  claimsWith(looking, 'worst').some(({ pAbove }) => pAbove !== null && pAbove <= share)

/** The run at its last look, as if every judge had said this of the prompts that are left, each independent of the others. */
function goneOn(
  run: ComparedRun,
  of: Looking['of'],
  ids: readonly string[],
  outcome: Outcome,
): ComparedRun {
  const isOf = (row: ComparedJudgement) =>
    row.benchmark === of.benchmark && row.context === of.context
  const kept = new Set(ids)
  const own = run.judged.filter((row) => isOf(row) && !kept.has(row.sampleId))
  const judges = new Map(own.map((row) => [row.judge, row]))
  const left = [...judges.values()].flatMap(({ cluster: _cluster, replyDigest: _digest, ...row }) =>
    ids.map((sampleId): ComparedJudgement => ({
      ...row,
      ...{ sampleId, outcome, epoch: 0, isCut: false, prompt: null, promptDigest: null },
      cluster: `left ${sampleId}`,
    })),
  )
  return {
    ...run,
    benchmarks: run.benchmarks.map((row) =>
      row.stopped && row.name === of.benchmark && row.context?.name === of.context
        ? { ...row, stopped: { ...row.stopped, at: row.stopped.seen.length - 1 }, replies: null }
        : row,
    ),
    judged: [...run.judged.filter((row) => !isOf(row)), ...own, ...left],
  }
}
