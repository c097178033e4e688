import { expect, test } from 'vitest'
import { frobeniusNorm } from '../../../evals/spectra/measures.ts'
import { randomUpdate } from '../../../evals/spectra/null-update.ts'
import { gaussian, multiply } from './fixtures.ts'

const W0 = gaussian(30, 40, 1).data
const [B, A] = [gaussian(30, 3, 2), gaussian(3, 40, 3)]
const product = multiply(B, A).data
const W1 = Float64Array.from(W0, (x, i) => x + 0.5 * product[i]!)
const request = { W0, W1, change: undefined, seed: 4, weight: 'q' }
const differences = (W: ArrayLike<number>) => Float64Array.from(W, (x, i) => x - W0[i]!)

test('noise of the change’s own size, from the difference and from an adapter alike', () => {
  const size = 0.5 * frobeniusNorm(product)
  const change = { B: B.data, A: A.data, rank: 3, scale: 0.5 }
  for (const asked of [request, { ...request, change }]) {
    expect(frobeniusNorm(differences(randomUpdate(asked))) / size).toBeCloseTo(1, 9)
  }
})

test('the same for one seed and weight, another for another; nothing where nothing changed', () => {
  expect(randomUpdate(request)).toEqual(randomUpdate(request))
  expect(randomUpdate({ ...request, seed: 5 })).not.toEqual(randomUpdate(request))
  expect(randomUpdate({ ...request, weight: 'k' })).not.toEqual(randomUpdate(request))
  expect(randomUpdate({ ...request, W1: W0 })).toBe(W0)
})

test('its direction is chance: entries uncorrelated with the change', () => {
  const G = differences(randomUpdate(request))
  const ΔW = differences(W1)
  const inner = G.reduce((sum, x, i) => sum + x * ΔW[i]!, 0)
  // A cosine of random directions in R^1200 has standard deviation 1/√1200; five of them.
  expect(Math.abs(inner / (frobeniusNorm(G) * frobeniusNorm(ΔW)))).toBeLessThan(5 / Math.sqrt(1200))
})
