/** @file A training graph takes each gradient as early as it can, so that nothing is held longer than it is needed. */
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, expect, test } from 'vitest'
import { z } from 'zod'
import { gradients } from '../../../evals/graph/gradient.ts'
import { createGraph } from '../../../evals/graph/ops/index.ts'
import type { Value } from '../../../evals/graph/value.ts'
import { createRunner } from '../../../evals/runtime/session.ts'

const folder = mkdtempSync(join(tmpdir(), 'touchstone-order-'))
afterAll(() => rmSync(folder, { recursive: true }))

const [LAYERS, ROWS, WIDTH] = [12, 64, 64]
/** Of one activation `[ROWS, WIDTH]`. */
const ACTIVATION = ROWS * WIDTH * 4

const Kernels = z.array(
  z.object({
    cat: z.string(),
    name: z.string(),
    args: z.object({ mem_bytes_requested_in_use: z.string().optional() }).optional(),
  }),
)

test('each weight’s gradient is taken when it can be, and what it was made of goes', async () => {
  const g = createGraph()
  let x: Value = g.input('x', 'float32', ['rows', WIDTH])
  const weights = Array.from({ length: LAYERS }, (_, i) => g.parameter(`w${i}`, [WIDTH, WIDTH]))
  for (const weight of weights) x = g.sigmoid(g.matMulT(x, weight))
  const loss = g.reduceSum(x, [0, 1], { keepDims: false })
  const derivatives = gradients(g, loss, weights)
  const outputs = Object.fromEntries(derivatives.map((d, i) => [`d:w${i}`, d]))
  const device = { name: 'cpu', threads: 1, profilePrefix: join(folder, 'order') } as const
  const runner = await createRunner(g, { loss, ...outputs }, { device, purpose: 'train' })
  const matrix = { data: new Float32Array(ROWS * WIDTH).fill(0.01), dims: [ROWS, WIDTH] }
  await runner.run(Object.fromEntries(runner.inputs.map((name) => [name, matrix])))
  await runner.release()

  const text = readFileSync(join(folder, readdirSync(folder)[0]!), 'utf8')
  const kernels = Kernels.parse(JSON.parse(text)).filter(
    ({ cat, name }) => cat === 'Node' && name.endsWith('_kernel_time'),
  )
  // Before the last layer's gradient every activation is there, and besides it what is under way; each gradient then takes
  // the place of an activation that has had its use.
  const held = kernels.map(({ args }) => Number(args!.mem_bytes_requested_in_use) / ACTIVATION)
  expect(Math.max(...held)).toBeLessThan(LAYERS + 5)
})
