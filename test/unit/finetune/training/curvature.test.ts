/** @file Sharpness held to closed forms, and to autograd's Hessian of a small network (test/golden/make-curvature.py). */
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, test } from 'vitest'
import { curvatureAt, type GradientAt } from '../../../../evals/finetune/training/curvature.ts'
import { gradients } from '../../../../evals/graph/gradient.ts'
import { FLOAT64 } from '../../../../evals/graph/op.ts'
import { createGraph } from '../../../../evals/graph/ops/index.ts'
import { createRunner } from '../../../../evals/runtime/session.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

/** ∇ of ½ Σ h_i θ_i². */
const bowl =
  (h: readonly number[]): GradientAt =>
  async (θ) =>
    Array.from(θ, (value, i) => h[i]! * value)

test('a quadratic bowl: the largest curvature, and their sum', async () => {
  const h = [7, 4, 2, 1, 0.5]
  const found = await curvatureAt(bowl(h), new Float32Array(5).fill(0.3), {
    seed: 1,
    tolerance: 1e-9,
  })
  expect(found.largestEigenvalue).toBeCloseTo(7, 3)
  // The Hessian is diagonal, so each draw of ±1 gives the trace itself.
  expect(found.trace).toBeCloseTo(14.5, 3)
  expect(found.traceError).toBeLessThan(1e-3)
})

test('a saddle: the largest eigenvalue, and not the one that is largest in size', async () => {
  const found = await curvatureAt(bowl([-9, 3, 1]), new Float32Array(3), {
    seed: 1,
    tolerance: 1e-9,
  })
  expect(found.largestEigenvalue).toBeCloseTo(3, 3)
  expect(found.trace).toBeCloseTo(-5, 3)
})

test('a flat loss has none', async () => {
  const found = await curvatureAt(bowl([0, 0]), new Float32Array(2), { seed: 1 })
  expect(found).toEqual({ largestEigenvalue: 0, trace: 0, traceError: 0 })
})

test('linear regression: H = XᵀX/n has a trace of ‖X‖²/n, within 4 of its standard errors', async () => {
  const [n, d] = [12, 5]
  const stream = randomStream(3, 'regression')
  const X = Array.from({ length: n }, () => Array.from({ length: d }, () => stream.normal()))
  const gradientAt: GradientAt = async (θ) => {
    const rest = X.map((row) => row.reduce((sum, x, i) => sum + x * θ[i]!, 0) - 1)
    return Array.from(θ, (_, i) => X.reduce((sum, row, s) => sum + (row[i]! * rest[s]!) / n, 0))
  }
  const found = await curvatureAt(gradientAt, new Float32Array(d), { seed: 1, draws: 400 })
  const trace = X.flat().reduce((sum, x) => sum + (x * x) / n, 0)
  expect(Math.abs(found.trace - trace)).toBeLessThan(4 * found.traceError)
  expect(found.traceError).toBeLessThan(0.1 * trace)
  expect(found.largestEigenvalue).toBeLessThan(trace)
})

test('a small network: λ and tr H of autograd, float64', async () => {
  const path = join(import.meta.dirname, '../../../golden/fixtures/curvature.json')
  const fixture = JSON.parse(readFileSync(path, 'utf8')) as {
    x: number[][]
    labels: number[]
    theta: number[]
    sizes: [number, number, number]
    largestEigenvalue: number
    trace: number
  }
  const { x, labels, theta, sizes } = fixture
  const [inputs, width, classes] = sizes
  const g = createGraph(FLOAT64)
  const θ = g.input('θ', g.float, [theta.length])
  const split = inputs * width
  const W1 = g.reshape(g.slice(θ, 0, 0, split), [width, inputs])
  const W2 = g.reshape(g.slice(θ, 0, split, theta.length), [classes, width])
  const hidden = g.tanh(g.matMulT(g.constant(x.flat(), g.float, [x.length, inputs]), W1))
  const rows = g.filled([x.length], 1 / x.length)
  const loss = g.crossEntropy(
    g.matMulT(hidden, W2),
    g.constant(labels, 'int32', [labels.length]),
    rows,
  )
  const [dθ] = gradients(g, loss, [θ])
  const device = { name: 'cpu', threads: 1 } as const
  const runner = await createRunner(g, { dθ: dθ! }, { device, purpose: 'train' })
  const gradientAt: GradientAt = async (at) => {
    const data = Float64Array.from(at)
    return (await runner.run({ θ: { data, dims: [data.length] } })).dθ!.data as Float64Array
  }
  const found = await curvatureAt(gradientAt, Float32Array.from(theta), {
    ...{ seed: 2, draws: 250, tolerance: 1e-8, rounds: 500 },
  })
  await runner.release()
  expect(found.largestEigenvalue / fixture.largestEigenvalue).toBeCloseTo(1, 4)
  expect(Math.abs(found.trace - fixture.trace)).toBeLessThan(4 * found.traceError)
  expect(found.traceError).toBeLessThan(0.1 * fixture.trace)
})
