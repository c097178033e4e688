import { expect, test } from 'vitest'
import { prepareBenchmarks } from '../../../evals/measure/benchmark-sources.ts'
import { blocksOf, withLooks } from '../../../evals/measure/looks/looks.ts'

const RULE = { spending: 'pocock', looks: 4, seed: 3, futility: 0.05 } as const

test('a benchmark is asked in blocks that part no cluster and have their share of every category', async () => {
  const [prepared] = await prepareBenchmarks({
    ...{ suite: ['house-refusal'], limit: null, map: null, maxNewTokens: null },
  })
  const { looks } = withLooks(prepared!, RULE)
  const { order, seen } = looks!
  expect(order.toSorted()).toEqual(prepared!.samples.map(({ id }) => id).toSorted())
  expect(order).not.toEqual(prepared!.samples.map(({ id }) => id))
  expect(withLooks(prepared!, RULE).looks).toEqual(looks)
  expect(withLooks(prepared!, { ...RULE, seed: 4 }).looks!.order).not.toEqual(order)
  expect(seen).toHaveLength(RULE.looks)
  expect(seen.at(-1)!.prompts).toBe(prepared!.samples.length)
  const blocks = blocksOf(prepared!, looks!)
  expect(blocks.flat().map(({ id }) => id)).toEqual(order)
  const blockOf = new Map(blocks.flatMap((block, k) => block.map(({ id }) => [id, k])))
  for (const cluster of Map.groupBy(prepared!.samples, (s) => s.cluster ?? s.id).values())
    expect(new Set(cluster.map(({ id }) => blockOf.get(id))).size).toBe(1)
  const categories = [...Map.groupBy(prepared!.samples, ({ category }) => category).values()]
  for (const own of categories) {
    const first = own.filter(({ id }) => blockOf.get(id)! < 2).length
    expect(Math.abs(first / own.length - 0.5)).toBeLessThan(0.2)
  }
})
