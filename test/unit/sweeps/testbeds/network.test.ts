/** @file The two-layer network: its gradient against differences, its loss against known cases. */
import { describe, expect, it } from 'vitest'
import { evaluate, initialise, parameterCount } from '../../../../evals/sweeps/testbeds/network.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const layout = { inputs: 3, width: 5, classes: 4 }
const stream = randomStream(3, 'network')
const θ = Float64Array.from({ length: parameterCount(layout) }, () => stream.normal())
const data = {
  x: Float64Array.from({ length: 3 * 8 }, () => stream.normal()),
  labels: [0, 1, 2, 3, 0, 1, 2, 3],
}

describe('the network', () => {
  it('has the gradient that central differences have', () => {
    const gradient = new Float64Array(θ.length)
    evaluate(layout, θ, data, gradient)
    const moved = (at: number, by: number) =>
      evaluate(
        layout,
        θ.map((value, i) => (i === at ? value + by : value)),
        data,
      ).loss
    const numeric = θ.map((_, at) => (moved(at, 1e-5) - moved(at, -1e-5)) / 2e-5)
    const norm = (values: Float64Array) => Math.hypot(...values)
    const off = gradient.map((value, at) => value - numeric[at]!)
    expect(norm(off) / (norm(gradient) + norm(numeric))).toBeLessThan(1e-6)
    expect(gradient.filter((value) => value !== 0).length).toBeGreaterThan(30)
  })

  it('knows nothing with weights of zero: ln 4, and the first class', () => {
    const { loss, error } = evaluate(layout, new Float64Array(θ.length), data)
    expect(loss).toBeCloseTo(Math.log(4), 12)
    expect(error).toBe(0.75)
  })

  it('stays finite for huge logits', () => {
    expect(
      evaluate(
        layout,
        θ.map((value) => 1e6 * value),
        data,
      ).loss,
    ).toBeLessThan(Infinity)
  })

  it('starts with biases of zero and weights scaled by their inputs', () => {
    const wide = { inputs: 8, width: 2000, classes: 2 }
    const start = initialise(wide, randomStream(2, 'start'))
    expect(start).toHaveLength(parameterCount(wide))
    const sd = (from: number, to: number) =>
      Math.sqrt(start.slice(from, to).reduce((sum, value) => sum + value ** 2, 0) / (to - from))
    expect(sd(0, 16_000)).toBeCloseTo(Math.sqrt(2 / 8), 1)
    expect(sd(16_000, 18_000)).toBe(0)
    expect(sd(18_000, 22_000) / Math.sqrt(2 / 2000)).toBeCloseTo(1, 1)
    expect(sd(22_000, 22_002)).toBe(0)
  })
})
