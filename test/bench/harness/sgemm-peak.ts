/** @file How fast ONNX Runtime multiplies float32 matrices here at its best: what the products of a step can be held to. */
import { createGraph } from '../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../evals/runtime/session.ts'
import { randomStream } from '../../../evals/statistics/random.ts'

/** Sides of square matrices: one lies in a core's cache, one in all caches together, one in neither. */
const SIDES = [256, 512, 1024, 2048]
/** Products behind one another in a run, so that feeding and fetching cost little beside them. */
const CHAIN = 16
const RUNS = 5

/** The most operations a second, a multiplication and an addition counted as two, over sides and runs. */
export async function sgemmPeak(threads: number): Promise<number> {
  const rates: number[] = []
  for (const n of SIDES) {
    const g = createGraph()
    const b = g.input('b', 'float32', [n, n])
    let product = g.input('a', 'float32', [n, n])
    for (let i = 0; i < CHAIN; i++) product = g.matMul(product, b)
    const device = { name: 'cpu', threads } as const
    const runner = await createRunner(g, { product }, { device, purpose: 'train' })
    const stream = randomStream(1, 'sgemm')
    // Rows that sum to about one keep a chain's numbers where they are.
    const data = Float32Array.from({ length: n * n }, () => (2 * stream.uniform()) / n)
    const matrix = { data, dims: [n, n] }
    for (let run = 0; run < RUNS; run++) {
      const began = performance.now()
      await runner.run({ a: matrix, b: matrix })
      rates.push((2 * CHAIN * n ** 3) / ((performance.now() - began) / 1000))
    }
    await runner.release()
  }
  return Math.max(...rates)
}

/** Products side by side in a run, none of which needs another. */
const SIDE_BY_SIDE = 4

/** Operations a second of `[m, k]`·`[k, n]` at their best, as a training step has them: W is fed, not packed. */
export async function productRate(
  [m, k, n]: readonly [number, number, number],
  threads: number,
): Promise<number> {
  const g = createGraph()
  const b = g.input('b', 'float32', [k, n])
  const inputs = Array.from({ length: SIDE_BY_SIDE }, (_, i) => g.input(`a${i}`, 'float32', [m, k]))
  // One row of each is fetched.
  const row = g.input('row', 'int32', [1])
  const outputs = inputs.map((a, i) => [`y${i}`, g.gatherRows(g.matMul(a, b), row)] as const)
  const device = { name: 'cpu', threads } as const
  const runner = await createRunner(g, Object.fromEntries(outputs), { device, purpose: 'train' })
  const stream = randomStream(1, 'product')
  const matrix = (rows: number, columns: number) => ({
    data: Float32Array.from({ length: rows * columns }, () => stream.uniform() / k),
    dims: [rows, columns],
  })
  const a = matrix(m, k)
  const row0 = { data: new Int32Array(1), dims: [1] }
  const feeds = {
    b: matrix(k, n),
    row: row0,
    ...Object.fromEntries(inputs.map(({ name }) => [name, a])),
  }
  let best = 0
  for (let run = 0; run < RUNS; run++) {
    const began = performance.now()
    await runner.run(feeds)
    best = Math.max(best, (2 * SIDE_BY_SIDE * m * k * n) / ((performance.now() - began) / 1000))
  }
  await runner.release()
  return best
}
