/** @file What a run did that its states do not say, for holding it to a plan. */
import type { AuditRows } from '../contract/audit-rows.ts'
import type { HeldPlan } from '../contract/signed/plan.ts'
import type { UnderPlan } from './gate/frozen/under-plan.ts'

type Ran = Pick<
  AuditRows,
  'run' | 'begunUnder' | 'known' | 'subjects' | 'evaluations' | 'benchmarks'
>

/** Clocks of an authority and of this machine may differ; the later stamp is told all the same. */
const stampedLate = ({ stamped }: HeldPlan, startedAt: number): string | undefined =>
  stamped !== null && Date.parse(stamped) > startedAt ? stamped : undefined

export function heldTo(
  held: HeldPlan,
  { run, begunUnder, known = [], subjects, evaluations, benchmarks }: Ran,
): UnderPlan {
  const isBegun = begunUnder?.digest === held.digest
  const earlier = new Set([...(isBegun ? begunUnder.earlier : []), ...known])
  const trained = new Set(subjects.flatMap(({ arm, method }) => (method === null ? [] : [arm])))
  const measured = evaluations.filter(({ arm }) => trained.has(arm))
  return {
    held,
    isBegun,
    stampedLate: stampedLate(held, run.startedAt),
    earlier: earlier.size,
    seeds: new Map(
      [...Map.groupBy(measured, ({ arm }) => arm)].map(([arm, rows]) => [
        arm,
        rows.map(({ seed }) => seed),
      ]),
    ),
    looks: new Map(benchmarks.flatMap(({ name, looks }) => (looks ? [[name, looks]] : []))),
  }
}
