/** @file A mixture's router from stored metrics, state by state and benchmark by benchmark. */
import type { AuditRows } from '../contract/audit-rows.ts'
import { stateKey } from '../contract/keys.ts'
import { routerMetrics, type RouterRow } from '../contract/rows.ts'

export function routersOf({
  metrics,
  benchmarks,
  subjects,
}: Pick<AuditRows, 'metrics' | 'benchmarks' | 'subjects'>): RouterRow[] {
  const placeOf = ([first]: readonly { arm: string }[]) =>
    subjects.findIndex((subject) => subject.arm === first!.arm)
  const states = [...Map.groupBy(metrics, stateKey).values()]
  return states
    .toSorted((a, b) => placeOf(a) - placeOf(b))
    .flatMap((own) => {
      const values = new Map(own.map(({ name, value }) => [name, value]))
      const { arm, seed, step } = own[0]!
      return benchmarks.flatMap(({ name: benchmark }): RouterRow[] => {
        const names = routerMetrics(benchmark)
        const estimate = values.get(names.entropy)
        if (estimate === undefined) return []
        const [lower, upper] = [values.get(names.lower) ?? null, values.get(names.upper) ?? null]
        const shares: number[] = []
        for (let share = values.get(names.share(0)); share !== undefined;) {
          shares.push(share)
          share = values.get(names.share(shares.length))
        }
        return [{ arm, seed, step, benchmark, entropy: { estimate, lower, upper }, shares }]
      })
    })
}
