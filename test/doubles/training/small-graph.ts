/** @file A few operators computed in float64 on numbers given by hand. */
import { FLOAT64 } from '../../../evals/graph/op.ts'
import { createGraph, type Graph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { createRunner } from '../../../evals/runtime/session.ts'

/** Rows as a constant `[rows, columns]`. */
export const matrix = (g: Graph, rows: readonly (readonly number[])[]): Value =>
  g.constant(rows.flat(), g.float, [rows.length, rows[0]!.length])

/** The numbers of each output by name. */
export async function computed(
  build: (g: Graph) => Readonly<Record<string, Value>>,
): Promise<Record<string, number[]>> {
  const g = createGraph(FLOAT64)
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { ...build(g) }, { device, purpose: 'train' })
  const results = await runner.run({})
  await runner.release()
  return Object.fromEntries(
    Object.entries(results).map(([name, { data }]) => [name, Array.from(data, Number)]),
  )
}
