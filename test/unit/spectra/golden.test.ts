import { readFileSync } from 'node:fs'
import { describe, expect, test } from 'vitest'
import { compareWeight } from '../../doubles/compare-weight.ts'
import { singularValues } from '../../../evals/spectra/decomposition/partial-svd.ts'

type Case = {
  name: string
  shape: [number, number]
  W0: number[]
  W1: number[]
  base: number[]
  tuned: number[]
  change: number[]
  alignment: number[]
  energyShare: number
  effectiveRank: number
  relativeChange: number
}
const { cases, k, epsilon } = JSON.parse(
  readFileSync(new URL('../../golden/fixtures/spectra.json', import.meta.url), 'utf8'),
) as { cases: Case[]; k: number; epsilon: number }

const TOLERANCE = 1e-6

function expectClose(found: ArrayLike<number>, expected: number[]) {
  expect(found.length).toBe(expected.length)
  expected.forEach((value, i) => expect(Math.abs(found[i]! - value)).toBeLessThan(TOLERANCE))
}

describe('numpy’s full SVD', () => {
  test.each(cases)('$name', (golden) => {
    const [rows, columns] = golden.shape
    const W0 = Float32Array.from(golden.W0)
    const W1 = Float32Array.from(golden.W1)
    const change = Float64Array.from(W1, (x, i) => x - W0[i]!)
    expectClose(singularValues({ rows, columns, data: W0 }), golden.base)
    expectClose(singularValues({ rows, columns, data: W1 }), golden.tuned)
    expectClose(singularValues({ rows, columns, data: change }), golden.change)
    const key = { arm: 'lora', seed: 1, step: 1 }
    const place = { layer: 0, module: 'q_proj', weight: golden.name, shape: golden.shape }
    const row = compareWeight({ ...place, key, W0, W1, k, epsilon })
    // Past W1's rank the vectors are arbitrary, and no c is given.
    const rank = golden.tuned.filter((σ) => σ > golden.tuned[0]! * 1e-12).length
    expectClose(row.alignment, golden.alignment.slice(0, Math.min(k, rank)))
    expectClose(row.singularValues, golden.tuned.slice(0, Math.min(k, rank)))
    expect(row.intruders).toBe(row.alignment.filter((c) => c < epsilon).length)
    expectClose(
      [row.intruderEnergyShare, row.effectiveRankOfChange!, row.relativeChange],
      [golden.energyShare, golden.effectiveRank, golden.relativeChange],
    )
  })
})
