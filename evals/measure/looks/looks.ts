/**
 * @file Prompts in the order in which a benchmark is asked in blocks, with a look after each. Units are clusters, so that no look
 * parts prompts that depend on each other; each category is spread evenly over the order, so that every look has its share of it.
 */
import type { Sample } from '../../contract/rows.ts'
import type { Looks, StoppingRule } from '../../contract/gate/stopping.ts'
import { randomStream } from '../../statistics/random.ts'
import { likenessOf } from '../../statistics/alike/templates.ts'
import type { EvaluationConfig } from '../config.ts'
import { promptOf, type PreparedBenchmark } from '../benchmark-sources.ts'

/** Undefined where every prompt is asked at once. */
export const stoppingRule = ({
  sequential,
  looks,
  orderSeed: seed,
  futility,
  powerLoss,
}: Pick<EvaluationConfig, 'sequential' | 'looks' | 'orderSeed' | 'futility' | 'powerLoss'>):
  StoppingRule | undefined =>
  sequential === null
    ? undefined
    : { spending: sequential, looks, seed, futility, ...(powerLoss > 0 && { powerLoss }) }

/** The same benchmark with its looks. */
export const withLooks = (
  prepared: PreparedBenchmark,
  rule: StoppingRule | undefined,
): PreparedBenchmark => (rule ? { ...prepared, looks: looksAt(prepared, rule) } : prepared)

function looksAt(prepared: PreparedBenchmark, rule: StoppingRule): Looks {
  const units = orderedUnits(prepared, rule.seed)
  const total = prepared.samples.length
  const seen: Looks['seen'] = []
  let prompts = 0
  for (const [i, unit] of units.entries()) {
    prompts += unit.length
    const isDue = prompts >= Math.ceil(((seen.length + 1) * total) / rule.looks - 1e-9)
    if (isDue || i === units.length - 1) seen.push({ prompts, units: i + 1 })
  }
  const order = units.flatMap((unit) => unit.map(({ id }) => id))
  return { rule, order, seen, categories: categoriesOf(units) }
}

function categoriesOf(units: readonly (readonly Sample[])[]): Looks['categories'] {
  const named = units.flatMap((unit) => [...new Set(unit.map(({ category }) => category))])
  return [...Map.groupBy(named, (name) => name)].map(([name, { length }]) => ({
    name,
    units: length,
  }))
}

function orderedUnits(prepared: PreparedBenchmark, seed: number): Sample[][] {
  const { benchmark, samples } = prepared
  const stream = randomStream(seed, `order of ${benchmark.name}`)
  const of = clustersOf(prepared)
  const units = [...Map.groupBy(samples, ({ id }) => of.get(id) ?? `\u0000${id}`).values()]
  const drawn = units.map((unit) => ({ unit, at: stream.uniform() }))
  return [...Map.groupBy(drawn, ({ unit }) => unit[0]!.category).values()]
    .flatMap((group) =>
      group
        .toSorted((a, b) => a.at - b.at)
        .map(({ unit }, i) => ({ unit, place: (i + stream.uniform()) / group.length })),
    )
    .sort((a, b) => a.place - b.place)
    .map(({ unit }) => unit)
}

/** As the gate will see them: named, or by their texts where none is. */
function clustersOf(prepared: PreparedBenchmark): ReadonlyMap<string, string> {
  const { samples } = prepared
  const named = samples.flatMap(({ id, cluster }) => (cluster ? [[id, cluster] as const] : []))
  if (named.length > 0) return new Map(named)
  return likenessOf(samples.map((sample) => ({ key: sample.id, text: promptOf(prepared, sample) })))
    .of
}

/** The samples of each block, in the order in which they are asked. */
export function blocksOf({ samples }: PreparedBenchmark, { order, seen }: Looks): Sample[][] {
  const known = new Map(samples.map((sample) => [sample.id, sample]))
  const ordered = order.map((id) => known.get(id)!)
  return seen.map(({ prompts }, k) => ordered.slice(seen[k - 1]?.prompts ?? 0, prompts))
}
