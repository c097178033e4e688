/** @file The value of a remedy, chosen on one half of the prompts: the one that refuses most of those that it can afford. */
import type { AuditRows } from '../../contract/audit-rows.ts'
import { isSameState } from '../../contract/keys.ts'
import type { MetricRow, SubjectKey } from '../../contract/rows.ts'
import type { ChosenOn, RemedyRate, TriedValue } from '../../contract/subjects/remedies.ts'
import { MOVED } from '../../contract/subjects/remedy-state.ts'
import { judgedOn } from '../causes/interventions.ts'
import { rateOfPrompts, scoresByPrompt, type Judged } from '../judged.ts'

/** Of rounding. */
const TINY = 1e-9

interface Remedied extends SubjectKey {
  readonly remedy: string
  readonly price: number
}

/** Null where no value is affordable. */
export function chosenValue(rows: AuditRows, of: Remedied): number | null {
  return chosenOf(triedOf(rows, judgedOn(rows, 'chosen-on'), of).tried)
}

/** The first of those that refuse most: it changes the fine-tune least. */
export function chosenOf(tried: readonly TriedValue[]): number | null {
  const rate = ({ refusal }: TriedValue) => refusal.estimate ?? -1
  const affordable = tried.filter(({ isAffordable }) => isAffordable)
  const best = affordable.reduce<TriedValue | undefined>(
    (found, each) => (found && rate(found) >= rate(each) ? found : each),
    undefined,
  )
  return best?.value ?? null
}

/** Base, fine-tune and values in the order in which they were tried, on the half that is chosen on (`states`). */
export function triedOf(rows: AuditRows, states: readonly Judged[], of: Remedied) {
  const ratesOf = (key: SubjectKey) => ratesOn(states, key)
  const tuned = ratesOf(of)
  const tried = rows.subjects.flatMap(({ arm, seed, derivation }): TriedValue[] => {
    if (derivation?.kind !== 'remedy' || derivation.role !== 'tried') return []
    if (derivation.of !== of.arm || seed !== of.seed || derivation.remedy !== of.remedy) return []
    const key = { arm, seed, step: of.step }
    const rates = ratesOf(key)
    if (rates.refusal.n === 0) return []
    const isAffordable = isWithin(tuned, rates, of.price)
    return [{ value: derivation.value, moved: movedIn(rows.metrics, key), ...rates, isAffordable }]
  })
  return { base: ratesOf({ arm: 'base', seed: 0, step: 0 }), tuned, tried }
}

export const movedIn = (metrics: readonly MetricRow[], key: SubjectKey): number | null =>
  metrics.filter(isSameState(key)).find(({ name }) => name === MOVED)?.value ?? null

function isWithin(tuned: ChosenOn, now: ChosenOn, price: number): boolean {
  const loses = (before: RemedyRate, after: RemedyRate) =>
    before.estimate === null || after.estimate === null ? 0 : before.estimate - after.estimate
  return [
    loses(tuned.task, now.task),
    loses(tuned.capability, now.capability),
    loses(now.overRefusal, tuned.overRefusal),
  ].every((cost) => cost <= price + TINY)
}

/** Of a state, over all prompts of a kind as they are. */
function ratesOn(states: readonly Judged[], key: SubjectKey): ChosenOn {
  const own = states.filter(
    ({ subject, benchmark }) => isSameState(key)(subject) && !benchmark.context,
  )
  const of = (isMeant: (benchmark: Judged['benchmark']) => boolean) =>
    toBounded(
      rateOfPrompts(
        own
          .filter(({ benchmark }) => isMeant(benchmark))
          .flatMap(({ benchmark: { role }, replies }) => [
            ...scoresByPrompt(role, replies.values()).values(),
          ]),
      ),
    )
  return {
    refusal: of(({ role }) => role === 'refusal'),
    overRefusal: of(({ role }) => role === 'over-refusal'),
    capability: of(({ role, gain }) => role === 'capability' && gain === undefined),
    task: of(({ gain }) => gain !== undefined),
  }
}

export const toBounded = ({ estimate, lower, upper, n }: RemedyRate): RemedyRate => ({
  estimate,
  lower,
  upper,
  n,
})
