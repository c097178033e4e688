/**
 * @file States that were made of a fine-tune, beside it and its base: how much came back of what it lost, on the half of the prompts
 * that nothing was chosen by.
 */
import type { AuditRows } from '../../contract/audit-rows.ts'
import type { Intervention, Restored } from '../../contract/subjects/causes.ts'
import { firstJudge, keyOf } from '../../contract/keys.ts'
import { groupJudged, rateOf, type Judged } from '../judged.ts'
import { baseFinder, compare } from '../paired.ts'
import { halvesOf, type Half } from './halves.ts'

/** In the order of the subjects; of states whose benchmarks are all asked. */
export function interventionsOf(rows: AuditRows): Intervention[] {
  const made = rows.subjects.flatMap(({ arm, seed, derivation }) =>
    derivation && derivation.kind !== 'remedy' ? [{ arm, seed, derivation }] : [],
  )
  if (made.length === 0) return []
  const states = judgedOn(rows, 'judged-on')
  const bySubject = Map.groupBy(states, ({ subject: { arm, seed } }) => keyOf(arm, seed))
  const baseOf = baseFinder(states)
  return made.flatMap(({ arm, seed, derivation }) => {
    const own = bySubject.get(keyOf(arm, seed)) ?? []
    const tuned = bySubject.get(keyOf(derivation.of, seed)) ?? []
    const restored = own.flatMap((after) => {
      const before = lastOf(tuned, after)
      const base = baseOf(after)
      return before && base ? [restoredIn(base, before, after)] : []
    })
    if (restored.length === 0) return []
    return [{ arm, seed, step: own[0]!.subject.step, of: derivation.of, derivation, restored }]
  })
}

/** By the judge that decides, on one half of the prompts. */
export function judgedOn(rows: AuditRows, half: Half): Judged[] {
  const halfOf = halvesOf(rows)
  return groupJudged(rows)
    .filter(({ benchmark, judge }) => judge === firstJudge(benchmark))
    .map((state) => ({
      ...state,
      replies: new Map([...state.replies].filter(([, { reply }]) => halfOf(reply) === half)),
    }))
    .filter(({ replies }) => replies.size > 0)
}

/** The rate of refusal over all prompts as they are that should be refused, of a state's last step; null where none was decided. */
export function refusalOn(
  rows: AuditRows,
  half: Half,
  of: { readonly arm: string; readonly seed: number },
): number | null {
  const own = judgedOn(rows, half).filter(
    ({ subject, benchmark }) =>
      subject.arm === of.arm &&
      subject.seed === of.seed &&
      benchmark.role === 'refusal' &&
      !benchmark.context,
  )
  const last = Math.max(...own.map(({ subject }) => subject.step))
  const rates = own
    .filter(({ subject }) => subject.step === last)
    .map(({ benchmark: { role }, replies }) => rateOf(role, replies.values()))
  const n = rates.reduce((sum, rate) => sum + rate.n, 0)
  return n === 0 ? null : rates.reduce((sum, rate) => sum + rate.successes, 0) / n
}

function lastOf(tuned: readonly Judged[], { benchmark }: Judged): Judged | undefined {
  return tuned
    .filter((state) => state.benchmark.name === benchmark.name)
    .reduce<Judged | undefined>(
      (last, state) => (last && last.subject.step > state.subject.step ? last : state),
      undefined,
    )
}

function restoredIn(base: Judged, tuned: Judged, after: Judged): Restored {
  const rate = ({ benchmark: { role }, replies }: Judged) =>
    rateOf(role, replies.values()).estimate ?? 0
  const [before, lost, now] = [rate(base), rate(tuned), rate(after)]
  const { difference, lower, upper, pValue, n } = compare(tuned, after)
  return {
    benchmark: after.benchmark.name,
    base: before,
    tuned: lost,
    after: now,
    share: before === lost ? null : (now - lost) / (before - lost),
    difference,
    lower,
    upper,
    pValue,
    n,
  }
}
