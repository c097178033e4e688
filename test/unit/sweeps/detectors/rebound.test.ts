/** @file Loss rebound: the three synthetic curves of docs/methods/double-descent.md over seeds, its guards, and a curve worked by hand. */
import { describe, expect, it } from 'vitest'
import { smoothed } from '../../../../evals/statistics/smoothed.ts'
import { labelShares, NOISES } from '../../../bench/rebound-draws.ts'
import { detectRebound } from '../../../../evals/sweeps/detectors/rebound.ts'
import { randomStream } from '../../../../evals/statistics/random.ts'

const SEEDS = Array.from({ length: 30 }, (_, i) => i)
const fall = (t: number) => 0.2 + 1.2 * Math.exp(-t / 150)
const CURVES = {
  falling: fall,
  bump: (t: number) => fall(t) + 0.5 * Math.exp(-(((t - 450) / 80) ** 2)),
  step: (t: number) => fall(t) + (t > 500 ? 0.5 * (1 - Math.exp(-(t - 500) / 60)) : 0),
}
function found(curve: keyof typeof CURVES) {
  return SEEDS.map((seed) => {
    const noise = randomStream(seed, `rebound ${curve}`)
    return detectRebound(
      Array.from({ length: 1000 }, (_, t) => CURVES[curve](t) + 0.05 * noise.normal()),
    )
  })
}
const mean = (values: readonly (number | null)[]) =>
  values.reduce<number>((sum, value) => sum + value!, 0) / values.length

describe('synthetic curves', () => {
  it('a falling curve has R ≈ 0.06 and no label, in every seed', () => {
    const all = found('falling')
    expect(new Set(all.map(({ label }) => label))).toEqual(new Set(['none']))
    expect(Math.abs(mean(all.map(({ rebound }) => rebound)) - 0.06)).toBeLessThan(0.02)
    for (const { rebound } of all) expect(rebound).toBeLessThan(0.1)
  })

  it('a bump has R ≈ 0.53, recovery ≈ 1.46, and descends twice', () => {
    const all = found('bump')
    expect(new Set(all.map(({ label }) => label))).toEqual(new Set(['double_descent']))
    expect(Math.abs(mean(all.map(({ rebound }) => rebound)) - 0.53)).toBeLessThan(0.02)
    expect(Math.abs(mean(all.map(({ recovery }) => recovery)) - 1.46)).toBeLessThan(0.03)
    for (const { turns } of all) expect(Math.abs(turns!.t2.place - 450)).toBeLessThan(60)
  })

  it('a rise that stays has R ≈ 0.56, recovery ≈ 0.10, and diverges', () => {
    const all = found('step')
    expect(new Set(all.map(({ label }) => label))).toEqual(new Set(['divergence']))
    expect(Math.abs(mean(all.map(({ rebound }) => rebound)) - 0.56)).toBeLessThan(0.02)
    expect(Math.abs(mean(all.map(({ recovery }) => recovery)) - 0.1)).toBeLessThan(0.03)
  })
})

describe('false alarms', () => {
  it.each(Object.keys(NOISES))(
    'a flat curve with %s noise is called a rebound by chance alone',
    (noise) => {
      const { R, label } = labelShares({ curve: 'flat', noise, steps: 60, seeds: 60 })
      expect(R).toBeGreaterThan(0.9)
      // 5 %, and two standard errors of 60 curves.
      expect(label).toBeLessThanOrEqual(0.05 + 0.056)
    },
  )

  it('a bump of ten standard deviations is found', () => {
    expect(labelShares({ curve: 'bump', noise: 'normal', steps: 200, seeds: 20 }).label).toBe(1)
  })

  it('under thirty steps nothing is called a rebound', () => {
    const rising = Array.from({ length: 29 }, (_, t) => t)
    expect(detectRebound(rising)).toMatchObject({ label: 'none', p: null, rebound: Infinity })
  })
})

describe('guards', () => {
  it('a loss that never rises has R = 0 and nothing to recover', () => {
    const calm = { label: 'none', isRebound: false, rebound: 0, recovery: null, turns: null }
    expect(detectRebound(Array.from({ length: 100 }, (_, t) => 1 - t / 200))).toMatchObject(calm)
    for (const short of [[], [3], new Array<number>(50).fill(0)])
      expect(detectRebound(short)).toMatchObject(calm)
  })

  it('a loss that only rises has risen infinitely much of nothing', () => {
    const rising = detectRebound(Array.from({ length: 100 }, (_, t) => t))
    expect(rising).toMatchObject({ label: 'divergence', rebound: Infinity, recovery: 0 })
  })

  it.each([NaN, Infinity, -Infinity])('a loss of %s is a divergence at its step', (value) => {
    expect(detectRebound([1, 0.5, value, 0.4])).toEqual({
      label: 'divergence',
      isRebound: true,
      rebound: null,
      recovery: null,
      turns: null,
      p: null,
      notFinite: 2,
    })
  })
})

describe('the formula', () => {
  it('the moving average is unbiased from its first value on', () => {
    const s = smoothed([2, 4])
    expect(s[0]).toBeCloseTo(2, 12)
    expect(s[1]).toBeCloseTo((0.9 * 2 + 4) / 1.9, 12)
    for (const value of smoothed(new Array<number>(60).fill(3))) expect(value).toBeCloseTo(3, 12)
  })

  it('drops the first twentieth after smoothing, so a bad start still weighs on what is kept', () => {
    const losses = [...new Array<number>(5).fill(100), ...new Array<number>(95).fill(1)]
    losses.push(...new Array<number>(20).fill(20))
    const s = smoothed(losses)
    const { rebound, turns } = detectRebound(losses)
    const [first, low, high] = [s[6]!, s[99]!, s[119]!]
    expect(turns).toMatchObject({ t1: { place: 99 }, t2: { place: 119 } })
    expect(rebound).toBeCloseTo((high - low) / (first - low), 12)
  })

  it('a factor and a constant on the loss change nothing', () => {
    const losses = Array.from({ length: 300 }, (_, t) => CURVES.bump(3 * t))
    const [plain, moved] = [losses, losses.map((loss) => 7 * loss - 3)].map(detectRebound)
    expect(moved!.rebound).toBeCloseTo(plain!.rebound!, 9)
    expect(moved!.recovery).toBeCloseTo(plain!.recovery!, 9)
  })
})
