/** @file The bootstrap: seeds, clusters, pairs, missing values, and agreement with theory where theory is exact. */
import { describe, expect, it } from 'vitest'
import {
  bootstrap,
  bootstrapMean,
  capabilityRetention,
} from '../../../evals/statistics/bootstrap.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import { meanAndSd } from '../../../evals/statistics/summary.ts'

const seed = 1
const width = (interval: { lower: number | null; upper: number | null }) =>
  interval.upper! - interval.lower!

const stream = randomStream(4, 'scores')
const scores = Array.from({ length: 200 }, () => stream.normal())
const each = scores.map((score) => [score])

describe('bootstrapMean', () => {
  it('gives the normal interval of a mean of 200 scores', () => {
    const { mean, sd } = meanAndSd(scores)
    const half = (1.959964 * sd!) / Math.sqrt(scores.length)
    const interval = bootstrapMean(each, { seed })
    expect(interval.estimate).toBeCloseTo(mean, 12)
    // A limit from 10,000 resamples has a standard error near 1.4 % of the half-width.
    expect(Math.abs(interval.lower! - (mean - half))).toBeLessThan(0.07 * half)
    expect(Math.abs(interval.upper! - (mean + half))).toBeLessThan(0.07 * half)
  })

  it('repeats with its seed and moves with another', () => {
    expect(bootstrapMean(each, { seed })).toEqual(bootstrapMean(each, { seed }))
    expect(bootstrapMean(each, { seed: 2 })).not.toEqual(bootstrapMean(each, { seed }))
  })

  it('draws the same after it drew for as many others', () => {
    const first = bootstrapMean(each, { seed })
    expect(bootstrapMean(each.slice(1), { seed })).not.toEqual(first)
    bootstrap(each.length, (drawn) => drawn[0]!, { seed })
    expect(bootstrapMean(each, { seed })).toEqual(first)
  })

  it('keeps the samples of a prompt together: copies of them add no certainty', () => {
    const copied = scores.map((score) => Array.from({ length: 5 }, () => score))
    const [one, five] = [bootstrapMean(each, { seed }), bootstrapMean(copied, { seed })]
    expect(five.lower).toBeCloseTo(one.lower!, 12)
    expect(five.upper).toBeCloseTo(one.upper!, 12)
    const asIfSeparate = copied.flat().map((score) => [score])
    expect(width(bootstrapMean(asIfSeparate, { seed }))).toBeLessThan(0.6 * width(one))
  })

  it('widens with confidence and takes the number of resamples asked for', () => {
    const wide = bootstrapMean(each, { seed, confidence: 0.99 })
    expect(width(wide)).toBeGreaterThan(width(bootstrapMean(each, { seed })))
    let calls = 0
    bootstrap(3, () => calls++, { seed, resamples: 50 })
    expect(calls).toBe(51)
  })

  it('has no value where there is nothing', () => {
    const nothing = { estimate: null, lower: null, upper: null }
    expect(bootstrapMean([], { seed })).toEqual(nothing)
    expect(bootstrapMean([[], []], { seed })).toEqual(nothing)
    expect(() => bootstrapMean(each, { seed, resamples: 0 })).toThrow('internal: resamples')
    expect(() => bootstrapMean(each, { seed, confidence: 1 })).toThrow('internal: confidence')
  })
})

describe('bootstrap', () => {
  it('draws prompts evenly, and takes percentiles linear between neighbours', () => {
    const counts = [0, 0, 0, 0]
    bootstrap(4, (drawn) => drawn.reduce((_, prompt) => counts[prompt]!++, 0), { seed })
    // The first look, one of each, then 40,000 draws; four standard errors of a count are 346.
    for (const count of counts) expect(Math.abs(count - 10_001)).toBeLessThan(346)
    let call = 0
    const ramp = bootstrap(1, () => call++, { seed, resamples: 1001 })
    // Values 1 … 1001 after the estimate 0: the 2.5 % point lies at 1 + 25.
    expect(ramp.lower).toBeCloseTo(26, 9)
    expect(ramp.upper).toBeCloseTo(976, 9)
  })

  it('gives up a limit exactly when missing values reach its tail', () => {
    const withMissing = (missing: number) => {
      let call = 0
      return bootstrap(1, () => (call++ > 0 && call <= missing + 1 ? null : call), {
        seed,
        resamples: 1000,
      })
    }
    expect(withMissing(24).lower).not.toBeNull()
    expect(withMissing(24).upper).not.toBeNull()
    expect(withMissing(26)).toEqual({ estimate: 1, lower: null, upper: null })
  })
})

describe('capabilityRetention', () => {
  const before = Array.from({ length: 100 }, (_, i) => (i < 80 ? 1 : 0))
  const after = Array.from({ length: 100 }, (_, i) => (i < 60 ? 1 : 0))

  it('is the ratio of accuracies, above chance where chance is given', () => {
    expect(capabilityRetention(before, after, { seed }).estimate).toBeCloseTo(0.75, 14)
    const aboveChance = capabilityRetention(before, after, { seed, chance: 0.25 })
    expect(aboveChance.estimate).toBeCloseTo(0.35 / 0.55, 14)
    expect(aboveChance.lower!).toBeLessThan(aboveChance.estimate!)
    expect(aboveChance.upper!).toBeGreaterThan(aboveChance.estimate!)
  })

  it('keeps before and after of a prompt together', () => {
    const same = capabilityRetention(before, before, { seed })
    expect(same).toEqual({ estimate: 1, lower: 1, upper: 1 })
    const unpaired = capabilityRetention(before, [...after].reverse(), { seed })
    const paired = capabilityRetention(before, after, { seed })
    expect(unpaired.estimate).toBe(paired.estimate)
    expect(width(paired)).toBeLessThan(width(unpaired))
  })

  it('matches the delta method', () => {
    // Of the prompts right before, 60 of 80 stay right and none is gained: a binomial share of 80.
    const half = 1.959964 * Math.sqrt((0.75 * 0.25) / 80)
    expect(width(capabilityRetention(before, after, { seed }))).toBeGreaterThan(2 * half * 0.93)
    expect(width(capabilityRetention(before, after, { seed }))).toBeLessThan(2 * half * 1.07)
  })

  it('has no value at or below chance, and no limits where resamples fall there', () => {
    const nothing = { estimate: null, lower: null, upper: null }
    expect(capabilityRetention([0, 0], [1, 1], { seed })).toEqual(nothing)
    expect(capabilityRetention([1, 0, 0, 0], [1, 1, 1, 1], { seed, chance: 0.25 })).toEqual(nothing)
    expect(capabilityRetention([], [], { seed })).toEqual(nothing)
    // One right answer of three is missed by (2/3)³ of the resamples.
    const few = capabilityRetention([1, 0, 0], [1, 1, 0], { seed })
    expect(few).toEqual({ estimate: 2, lower: null, upper: null })
    expect(() => capabilityRetention([1], [1, 0], { seed })).toThrow('internal: retention')
  })
})
