/** @file How fast ONNX Runtime multiplies two large float32 matrices here: what the products of a step can be held to. */
import { createGraph } from '../../evals/graph/ops/index.ts'
import { createRunner } from '../../evals/runtime/session.ts'
import { randomStream } from '../../evals/statistics/random.ts'

/** Large enough that reading and packing cost little beside 2·n³ operations. */
const SIZES = [1024, 2048]
const RUNS = 5

/** The most operations a second, a multiplication and an addition counted as two, over sizes and runs. */
export async function sgemmPeak(threads: number): Promise<number> {
  const rates: number[] = []
  for (const n of SIZES) {
    const g = createGraph()
    const product = g.matMul(g.input('a', 'float32', [n, n]), g.input('b', 'float32', [n, n]))
    const device = { name: 'cpu', threads } as const
    const runner = await createRunner(g, { product }, { device, purpose: 'train' })
    const stream = randomStream(1, 'sgemm')
    const matrix = {
      data: Float32Array.from({ length: n * n }, () => stream.uniform()),
      dims: [n, n],
    }
    for (let run = 0; run < RUNS; run++) {
      const began = performance.now()
      await runner.run({ a: matrix, b: matrix })
      rates.push((2 * n ** 3) / ((performance.now() - began) / 1000))
    }
    await runner.release()
  }
  return Math.max(...rates)
}
