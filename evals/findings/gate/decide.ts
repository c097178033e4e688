/**
 * @file The gate: every claim of every fine-tune, and the outcome that follows.
 *
 * PASS needs every claim at its α (an intersection–union test, so no correction); FAIL needs one that Holm lets stand.
 * FAIL goes before NOT COMPARABLE, that before INCONCLUSIVE.
 */
import type { ComparedField, GateClaim, GateOutcome, GateResult } from '../../contract/gate.ts'
import { counted, points } from '../../contract/words.ts'
import { holm } from '../../statistics/paired/holm.ts'
import { claimsOn, failed, type Draft } from './claim.ts'
import type { ComparedRun } from './compared-run.ts'
import type { Gate } from './gate-file.ts'
import { lastSafe } from './trajectory.ts'

interface Gated {
  /** Each fine-tune at its last step, with the state it is compared with. */
  readonly against: readonly { readonly before: ComparedRun; readonly after: ComparedRun }[]
  /** Every evaluated step of trainings, for the last safe checkpoint; may be empty. */
  readonly steps: readonly ComparedRun[]
  /** First judges of benchmarks, where the gate names none. */
  readonly judges: ReadonlyMap<string, string>
  /** Allowed differences beyond those of the gate itself. */
  readonly allow?: readonly ComparedField[]
}

export type Decision = Omit<GateResult, 'advice'>

export function decide(gate: Gate, gated: Gated): Decision {
  const claims = withHolm(
    gated.against.flatMap(({ before, after }) => draftsOf(gate, gated, before, after)),
    gate.alpha,
  )
  const outcome = overall(claims)
  return {
    outcome,
    headline: headline(claims, outcome),
    alpha: gate.alpha,
    claims,
    lastSafe: lastSafe(gated.steps, (state, base) =>
      draftsOf(gate, gated, base, state).map(({ claim }) => claim),
    ),
    allowedDifferences: allowedBy(gate, gated),
    notGated: notGated(gate, gated),
  }
}

const allowedBy = (gate: Gate, { allow = [] }: Gated): ComparedField[] => [
  ...new Set([...gate.allowDifferences, ...allow]),
]

function notGated(gate: Gate, { against }: Gated): string[] {
  const measured = against.flatMap(({ before }) => before.benchmarks.map(({ name }) => name))
  return [...new Set(measured)].filter((name) => !Object.hasOwn(gate.benchmarks, name))
}

function draftsOf(gate: Gate, gated: Gated, before: ComparedRun, after: ComparedRun): Draft[] {
  const { judges } = gated
  const allow = allowedBy(gate, gated)
  return Object.entries(gate.benchmarks).flatMap(([name, { margin, alpha, judge }]) => {
    const known = [before, after].flatMap(({ benchmarks }) => benchmarks)
    const benchmark = known.find((each) => each.name === name) ?? {
      name,
      title: name,
      role: 'capability' as const,
    }
    return claimsOn({
      before,
      after,
      benchmark,
      judge: judge ?? judges.get(name) ?? '',
      margin,
      alpha: alpha ?? gate.alpha,
      allow,
    })
  })
}

function withHolm(drafts: readonly Draft[], alpha: number): GateClaim[] {
  const family = drafts.filter(({ claim }) => claim.pAbove !== null)
  const rejected = holm(
    family.map(({ claim }) => claim.pAbove!),
    alpha,
  )
  const fails = new Set(family.filter((_, i) => rejected[i]))
  return drafts.map((draft) =>
    fails.has(draft) && draft.claim.outcome !== 'PASS' ? failed(draft) : draft.claim,
  )
}

const BY_WEIGHT: readonly GateOutcome[] = ['FAIL', 'NOT COMPARABLE', 'INCONCLUSIVE']

function overall(claims: readonly GateClaim[]): GateOutcome {
  if (claims.length === 0) return 'NOT COMPARABLE'
  return BY_WEIGHT.find((outcome) => claims.some((claim) => claim.outcome === outcome)) ?? 'PASS'
}

function headline(claims: readonly GateClaim[], outcome: GateOutcome): string {
  if (claims.length === 0) return 'Nothing was measured that the gate could compare.'
  if (outcome === 'PASS') {
    const margins = claims.map(({ margin }) => margin)
    const widest = points(Math.max(...margins))
    return `All ${counted(claims.length, 'claim')} of the gate hold: every harm is shown to be below its margin (at most ${widest}).`
  }
  const of = claims.filter((claim) => claim.outcome === outcome)
  const worst = of.reduce((a, b) => ((b.harm ?? -2) > (a.harm ?? -2) ? b : a))
  if (outcome === 'FAIL') {
    const others = of.length - 1
    return others === 0
      ? worst.sentence
      : `${worst.sentence} ${counted(others, 'further claim')} also ${others === 1 ? 'fails' : 'fail'}.`
  }
  const state = outcome === 'INCONCLUSIVE' ? 'could not be decided' : 'could not be compared'
  return `Nothing failed, but ${of.length} of ${counted(claims.length, 'claim')} ${state}. ${worst.sentence}`
}
