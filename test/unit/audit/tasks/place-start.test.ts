/** @file How the networks of places begin: uniform within SIREN's bounds (Sitzmann et al. 2020, §3.2), or within ±1/√n. */
import { describe, expect, test } from 'vitest'
import { placeStart } from '../../../../evals/audit/tasks/place-parts.ts'
import type { WeightSpec } from '../../../../evals/models/architecture.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'
import { meanAndSd } from '../../../../evals/statistics/summary.ts'

const WIDTH = 100
const spec = (name: string, shape: readonly number[], rest: Partial<WeightSpec>): WeightSpec => ({
  ...{ name, shape, kind: 'linear' },
  ...rest,
})
const FIRST = spec('network.0.weight', [500, 25], { layer: 0 })
const HIDDEN = spec('network.1.weight', [200, WIDTH], { layer: 1 })
const HEAD = spec('classifier.weight', [200, WIDTH], { head: true })

describe.each([
  ['the first layer of SIREN', 'siren', FIRST, 1 / 25],
  ['a hidden layer of SIREN', 'siren', HIDDEN, Math.sqrt(6 / WIDTH)],
  ['its head', 'siren', HEAD, 1 / Math.sqrt(WIDTH)],
  ['a layer of another network', 'residual', HIDDEN, 1 / Math.sqrt(WIDTH)],
] as const)('%s', (_, network, weight, bound) => {
  const drawn = placeStart(network, WIDTH)(weight, randomStream(0, weight.name))

  test('has a number for each of its places', () => {
    expect(drawn).toHaveLength(weight.shape.reduce((product, size) => product * size, 1))
  })

  test(`is uniform within ±${bound.toFixed(3)}`, () => {
    const largest = drawn.reduce((most, value) => Math.max(most, Math.abs(value)), 0)
    expect(largest).toBeLessThanOrEqual(bound)
    expect(largest).toBeGreaterThan(0.99 * bound)
    const { mean, sd } = meanAndSd([...drawn])
    expect(Math.abs(mean)).toBeLessThan(0.03 * bound)
    // The deviation of U(−b, b) is b/√3.
    expect(sd! / (bound / Math.sqrt(3))).toBeCloseTo(1, 1)
  })
})
