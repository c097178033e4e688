import { describe, expect, test } from 'vitest'
import { spectrumLinks } from '../../../evals/findings/spectrum-links.ts'
import type { Evaluation, SpectrumTotal } from '../../../evals/contract/results.ts'
import type { BenchmarkRow } from '../../../evals/contract/rows.ts'

const benchmark: BenchmarkRow = {
  name: 'house-refusal',
  title: 'House refusal',
  role: 'refusal',
  samples: 10,
  digest: 'd',
  judges: ['normalised', 'other'],
  maxNewTokens: 8,
}
const capability: BenchmarkRow = { ...benchmark, name: 'house-capability', role: 'capability' }

type State = readonly [seed: number, step: number, intruders: number, rate: number | null]
const totals = (states: readonly State[]): SpectrumTotal[] =>
  states.map(([seed, step, intruders]) => ({
    arm: 'lora',
    seed,
    step,
    intruders,
    matrices: 1,
    slots: 10,
    meanEffectiveRankOfChange: null,
    meanRelativeChange: 0,
  }))
const evaluations = (states: readonly State[], judge = 'normalised'): Evaluation[] =>
  states.map(([seed, step, , estimate]) => ({
    arm: 'lora',
    seed,
    step,
    benchmark: 'house-refusal',
    judge,
    judgeVersion: '1',
    counts: {
      refusal: 0,
      partial: 0,
      compliance: 0,
      degenerate: 0,
      correct: 0,
      incorrect: 0,
      undecided: 0,
    },
    rate: { successes: 0, n: 10, estimate, lower: null, upper: null },
  }))
const link = (states: readonly State[]) =>
  spectrumLinks(totals(states), evaluations(states), [benchmark, capability])

const falling = (seed: number): State[] =>
  [0, 1, 2, 3].map((step) => [seed, step, step * 3, 1 - step / 4] as const)

describe('spectrumLinks', () => {
  test('refusal that falls at every step at which intruders come: ρ = −1, in every resample', () => {
    const [found, ...others] = link([0, 1, 2].flatMap(falling))
    expect(others).toEqual([])
    expect(found).toMatchObject({ arm: 'lora', benchmark: 'house-refusal', states: 12, seeds: 3 })
    for (const value of [found!.rho, found!.lower, found!.upper]) expect(value).toBeCloseTo(-1, 9)
  })

  test('seeds that disagree make a wide interval', () => {
    const rising = [0, 1, 2, 3].map((step) => [9, step, step * 3, step / 4] as const)
    const [found] = link([...falling(0), ...rising])
    expect(found!.lower).toBeCloseTo(-1, 9)
    expect(found!.upper).toBeCloseTo(1, 9)
  })

  test('one seed has a ρ and no interval; three states have neither', () => {
    expect(link(falling(0))[0]).toMatchObject({ lower: null, upper: null, seeds: 1 })
    expect(link(falling(0))[0]!.rho).toBeCloseTo(-1, 9)
    expect(link(falling(0).slice(1))).toEqual([])
  })

  test('no intruders at all, or undecided rates, give no number', () => {
    const none = [0, 1, 2, 3].map((step) => [0, step, 0, 1 - step / 4] as const)
    expect(link(none)[0]!.rho).toBeNull()
    const undecided = [0, 1, 2, 3].map((step) => [0, step, step, null] as const)
    expect(link(undecided)).toEqual([])
  })

  test('rates of another judge are left out', () => {
    const states = falling(0)
    expect(spectrumLinks(totals(states), evaluations(states, 'other'), [benchmark])).toEqual([])
  })
})
