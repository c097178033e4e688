/** @file Estimators of the judge and of the training: corrected rates, agreement, variance components, change points. */
import { describe, expect, it } from 'vitest'
import { changePoint } from '../../../evals/statistics/change-point.ts'
import { clusterDifference } from '../../../evals/statistics/cluster-bootstrap.ts'
import { correctedDifference } from '../../../evals/statistics/judges/corrected-difference.ts'
import { krippendorffAlpha } from '../../../evals/statistics/judges/krippendorff.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { correctedRate, youden } from '../../../evals/statistics/judges/rogan-gladen.ts'
import { varianceComponents } from '../../../evals/statistics/variance-components.ts'
import { fc } from '../../doubles/properties.ts'

const tally = (successes: number, n: number) => ({ successes, n })

describe('Rogan and Gladen', () => {
  it('takes a perfect judge at its word', () => {
    const quality = { sensitivity: tally(400, 400), specificity: tally(400, 400) }
    const found = correctedRate(tally(30, 100), quality)
    expect(found).toMatchObject({ kind: 'corrected', estimate: expect.closeTo(0.3, 12) as number })
  })

  it('undoes planted errors: q = p·Se + (1 − p)(1 − Sp)', () => {
    const quality = { sensitivity: tally(90, 100), specificity: tally(80, 100) }
    // p = .4 gives q = .36 + .12 = .48.
    const found = correctedRate(tally(480, 1000), quality)
    if (found.kind !== 'corrected') throw new Error(found.reason)
    expect(found.estimate).toBeCloseTo(0.4, 12)
    expect(found.lower).toBeLessThan(0.4)
    expect(found.upper).toBeGreaterThan(0.4)
  })

  it('carries the labels’ uncertainty: fewer labels, a wider interval, at the same estimate', () => {
    const width = (labels: number) => {
      const quality = {
        sensitivity: tally(0.9 * labels, labels),
        specificity: tally(0.8 * labels, labels),
      }
      const found = correctedRate(tally(480, 1000), quality)
      return found.kind === 'corrected' ? found.upper - found.lower : NaN
    }
    expect(width(1000)).toBeLessThan(width(100))
    expect(width(100)).toBeLessThan(width(30))
    // With the judge known for certain what is left is the rate's own interval over J.
    expect(width(1e9)).toBeCloseTo((2 * 1.959964 * Math.sqrt((0.48 * 0.52) / 1000)) / 0.7, 3)
  })

  it.each([
    ['a judge by chance', tally(25, 50), tally(25, 50), 'reaches 0'],
    ['a judge hardly better than chance', tally(30, 50), tally(25, 50), 'reaches 0'],
    ['a judge turned round', tally(5, 50), tally(5, 50), 'reaches 0'],
    ['no labels of one kind', tally(0, 0), tally(50, 50), 'both kinds'],
  ])('is refused for %s', (_, sensitivity, specificity, why) => {
    const found = correctedRate(tally(10, 100), { sensitivity, specificity })
    expect(found.kind === 'refused' && found.reason).toContain(why)
  })

  it('is refused exactly where the interval of J touches 0', () => {
    const specificity = tally(27, 50)
    for (let hits = 20; hits <= 50; hits++) {
      const quality = { sensitivity: tally(hits, 50), specificity }
      const isRefused = correctedRate(tally(10, 100), quality).kind === 'refused'
      expect(isRefused).toBe(youden(quality)!.lower <= 0)
    }
  })
})

describe('a corrected change', () => {
  const quality = { sensitivity: tally(90, 100), specificity: tally(80, 100) }
  const change = { estimate: 0.21, lower: 0.12, upper: 0.29 }

  it('is the change as judged over Se + Sp − 1, whatever the judge calls positive by error', () => {
    // π falls from .7 to .4: q from .63 + .06 = .69 to .36 + .12 = .48.
    const found = correctedDifference(change, quality)
    expect(found).toMatchObject({ kind: 'corrected', estimate: expect.closeTo(0.3, 12) as number })
  })

  it('of a judge known for certain has the limits as judged, over J', () => {
    const known = { sensitivity: tally(9e8, 1e9), specificity: tally(8e8, 1e9) }
    const found = correctedDifference(change, known)
    if (found.kind !== 'corrected') throw new Error(found.reason)
    expect(found.lower).toBeCloseTo(0.12 / 0.7, 4)
    expect(found.upper).toBeCloseTo(0.29 / 0.7, 4)
  })

  it('turned round is turned round', () => {
    const [one, other] = [
      correctedDifference({ estimate: 0.05, lower: -0.02, upper: 0.13 }, quality),
      correctedDifference({ estimate: -0.05, lower: -0.13, upper: 0.02 }, quality),
    ]
    if (one.kind !== 'corrected' || other.kind !== 'corrected') throw new Error('refused')
    expect(other.estimate).toBeCloseTo(-one.estimate, 12)
    expect(other.lower).toBeCloseTo(-one.upper, 12)
    expect(other.upper).toBeCloseTo(-one.lower, 12)
  })

  it('ends where a limit of Δ − D J is 0, or at ±1', () => {
    const { estimate: J, lower: low, upper: high } = youden(quality)!
    const [down, up] = [J - low, high - J]
    expect(down - up).toBeGreaterThan(0.02)
    const numbers = fc.record({
      estimate: fc.double({ min: -0.6, max: 0.6, noNaN: true }),
      below: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
      above: fc.double({ min: 0.01, max: 0.3, noNaN: true }),
    })
    fc.assert(
      fc.property(numbers, ({ estimate: Δ, below, above }) => {
        const own = { estimate: Δ, lower: Δ - below, upper: Δ + above }
        const found = correctedDifference(own, quality)
        if (found.kind !== 'corrected') return
        // −D J is largest where J is smallest for D > 0, where it is largest for D < 0.
        const lower = (D: number) => Δ - D * J - Math.hypot(below, D * (D < 0 ? down : up))
        const upper = (D: number) => Δ - D * J + Math.hypot(above, D * (D < 0 ? up : down))
        if (found.lower > -1) expect(lower(found.lower)).toBeCloseTo(0, 9)
        else expect(lower(-1)).toBeLessThanOrEqual(1e-9)
        if (found.upper < 1) expect(upper(found.upper)).toBeCloseTo(0, 9)
        else expect(upper(1)).toBeGreaterThanOrEqual(-1e-9)
      }),
      { numRuns: 500 },
    )
  })

  it('is refused for a judge that may be chance, and where it is larger than any change', () => {
    const chance = { sensitivity: tally(25, 50), specificity: tally(25, 50) }
    expect(correctedDifference(change, chance)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('reaches 0') as string,
    })
    const none = { sensitivity: tally(0, 0), specificity: tally(50, 50) }
    expect(correctedDifference(change, none)).toMatchObject({ kind: 'refused', youden: null })
    const whole = { estimate: 0.98, lower: 0.95, upper: 0.99 }
    expect(correctedDifference(whole, quality)).toMatchObject({
      kind: 'refused',
      reason: expect.stringContaining('larger than') as string,
    })
  })
})

describe('Krippendorff’s α', () => {
  // Krippendorff, "Computing Krippendorff's Alpha-Reliability" (2011): four observers, twelve units.
  const _ = null
  const observers = [
    [1, 2, 3, 3, 2, 1, 4, 1, 2, _, _, _],
    [1, 2, 3, 3, 2, 2, 4, 1, 2, 5, _, 3],
    [_, 3, 3, 3, 2, 3, 4, 2, 2, 5, 1, _],
    [1, 2, 3, 3, 2, 4, 4, 1, 2, 5, 1, _],
  ]
  const units = observers[0]!.map((_value, unit) => observers.map((row) => row[unit]!))

  it('of the published example is .743 for labels and .849 for scores', () => {
    expect(krippendorffAlpha(units)).toBeCloseTo(0.743, 3)
    expect(krippendorffAlpha(units, 'interval')).toBeCloseTo(0.849, 3)
  })

  it('is 1 for full agreement, null where nothing varies or nothing pairs', () => {
    expect(
      krippendorffAlpha([
        ['a', 'a'],
        ['b', 'b'],
      ]),
    ).toBe(1)
    expect(
      krippendorffAlpha([
        ['a', 'a'],
        ['a', 'a'],
      ]),
    ).toBeNull()
    expect(
      krippendorffAlpha([
        ['a', null],
        [null, 'b'],
      ]),
    ).toBeNull()
    expect(krippendorffAlpha([])).toBeNull()
  })
})

describe('variance components', () => {
  it('recovers planted ones on average over many tables', () => {
    const planted = { seed: 0.5, prompt: 2, seedByPrompt: 0.25, sample: 1 }
    const sums = { seed: 0, prompt: 0, seedByPrompt: 0, sample: 0 }
    const tables = 400
    for (let table = 0; table < tables; table++) {
      const found = varianceComponents(plantedScores(planted, table, [4, 12, 3]))!
      for (const name of Object.keys(sums) as (keyof typeof sums)[]) {
        sums[name] += found[name]! / tables
      }
    }
    // Three standard errors of each mean, from the mean squares' variance 2 MS²/df.
    expect(Math.abs(sums.seed - planted.seed)).toBeLessThan(0.08)
    expect(Math.abs(sums.prompt - planted.prompt)).toBeLessThan(0.15)
    expect(Math.abs(sums.seedByPrompt - planted.seedByPrompt)).toBeLessThan(0.03)
    expect(Math.abs(sums.sample - planted.sample)).toBeLessThan(0.03)
  })

  it('is null where there is one seed or one prompt, and puts samples into the rest where there is one', () => {
    expect(varianceComponents([[[1], [2]]])).toBeNull()
    expect(varianceComponents([[[1]], [[2]]])).toBeNull()
    expect(
      varianceComponents([
        [[1], [2]],
        [[2], [5]],
      ])!.sample,
    ).toBeNull()
    expect(() => varianceComponents([[[1], [2]], [[2]]])).toThrow('internal:')
  })
})

function plantedScores(
  {
    seed,
    prompt,
    seedByPrompt,
    sample,
  }: Record<'seed' | 'prompt' | 'seedByPrompt' | 'sample', number>,
  table: number,
  [S, P, r]: readonly [number, number, number],
): number[][][] {
  const { normal } = randomStream(table, 'planted components')
  const draw = (variance: number) => Math.sqrt(variance) * normal()
  const prompts = Array.from({ length: P }, () => draw(prompt))
  return Array.from({ length: S }, () => {
    const own = draw(seed)
    return prompts.map((effect) => {
      const cell = own + effect + draw(seedByPrompt)
      return Array.from({ length: r }, () => cell + draw(sample))
    })
  })
}

describe('the cluster bootstrap', () => {
  it('is as wide as the prompts make it, however often each is asked', () => {
    const once = Array.from({ length: 60 }, (_, i) => ({
      before: [1],
      after: [i % 4 === 0 ? 0 : 1],
    }))
    const often = once.map(({ before, after }) => ({
      before: Array.from({ length: 10 }, () => before[0]!),
      after: Array.from({ length: 10 }, () => after[0]!),
    }))
    const options = { seed: 1, resamples: 2000 }
    expect(clusterDifference(often, options)).toEqual(clusterDifference(once, options))
    expect(clusterDifference(once, options).estimate).toBe(0.25)
  })
})

describe('a change point', () => {
  const points = (counts: readonly number[], n = 100) =>
    counts.map((successes, i) => ({ step: 10 * i, successes, n }))

  it('is found where it was planted', () => {
    const found = changePoint(points([97, 96, 98, 40, 38, 41]))!
    expect(found).toMatchObject({ step: 30, before: 291 / 300, after: 119 / 300 })
    expect(found.pValue).toBe(1 / 2000)
  })

  it('is no more often significant than it may be where nothing changes', () => {
    const { uniform } = randomStream(0, 'no change')
    let significant = 0
    for (let i = 0; i < 100; i++) {
      const counts = Array.from({ length: 5 }, () => {
        let count = 0
        for (let k = 0; k < 60; k++) if (uniform() < 0.8) count++
        return count
      })
      if ((changePoint(points(counts, 60))?.pValue ?? 1) <= 0.05) significant++
    }
    // P[Bin(100, .05) > 11] < .005.
    expect(significant).toBeLessThanOrEqual(11)
  })

  it('is null where there is nothing to split, and skips steps where nothing was decided', () => {
    expect(changePoint([])).toBeNull()
    expect(changePoint(points([50]))).toBeNull()
    expect(changePoint(points([50, 50, 50]))).toBeNull()
    const gap = [
      ...points([90, 90]),
      { step: 20, successes: 0, n: 0 },
      { step: 30, successes: 5, n: 100 },
    ]
    expect(changePoint(gap)!.step).toBe(30)
  })
})
