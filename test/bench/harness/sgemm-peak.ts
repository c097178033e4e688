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
