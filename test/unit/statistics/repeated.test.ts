/** @file Several replies to a prompt: one each gives Wilson, Newcombe, McNemar and the exact margin test back, more each what they are worth. */
import { describe, expect, it } from 'vitest'
import { normalLowerTail } from '../../../evals/statistics/normal.ts'
import {
  mcNemarExact,
  mcNemarMidP,
  newcombePaired,
} from '../../../evals/statistics/paired/paired.ts'
import { pairedChange } from '../../../evals/statistics/paired/paired-change.ts'
import { wilson } from '../../../evals/statistics/proportion.ts'
import { randomStream } from '../../../evals/statistics/random.ts'
import {
  effectiveChange,
  repeatedDifference,
  repeatedRate,
  type PromptPair,
} from '../../../evals/statistics/repeated.ts'
import { signFlipTest } from '../../../evals/statistics/paired/sign-flip.ts'
import { fc } from '../../doubles/properties.ts'

interface Counts {
  readonly a: number
  readonly b: number
  readonly c: number
  readonly d: number
}

/** `k` equal replies to each prompt. */
function promptsOf({ a, b, c, d }: Counts, k = 1): PromptPair[] {
  const alike = (count: number, before: number, after: number) =>
    Array.from({ length: count }, () => ({
      before: new Array<number>(k).fill(before),
      after: new Array<number>(k).fill(after),
    }))
  return [...alike(a, 1, 1), ...alike(b, 1, 0), ...alike(c, 0, 1), ...alike(d, 0, 0)]
}

const count = fc.nat({ max: 30 })
const counts = fc
  .record({ a: count, b: count, c: count, d: count })
  .filter(({ a, b, c, d }) => a + b + c + d > 0)

describe('alike replies are worth one', () => {
  it('a rate is Wilson’s', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 4 }), ({ a, b, c, d }, k) => {
        const n = a + b + c + d
        const found = repeatedRate(promptsOf({ a, b, c, d }, k).map(({ before }) => before))!
        expect(found.effective).toBe(n)
        expect(found).toMatchObject({ estimate: (a + b) / n, ...wilson(a + b, n) })
      }),
    )
  })

  it('a change is Newcombe’s, its test McNemar’s, its harm the counts’ own', () => {
    fc.assert(
      fc.property(counts, fc.integer({ min: 1, max: 4 }), (each, k) => {
        const prompts = promptsOf(each, k)
        const { a, b, c, d } = each
        const [found, newcombe] = [repeatedDifference(prompts)!, newcombePaired(each)]
        for (const limit of ['difference', 'lower', 'upper'] as const) {
          expect(found[limit]).toBeCloseTo(newcombe[limit]!, 12)
        }
        expect(signFlipTest(prompts)).toBeCloseTo(mcNemarExact(b, c), 12)
        const n = a + b + c + d
        for (const towards of ['more', 'less'] as const) {
          expect(effectiveChange(prompts, towards)).toEqual({ lost: b, gained: c, n })
        }
      }),
    )
  })

  it('a change says which of the two it is', () => {
    const each = { a: 20, b: 60, c: 2, d: 18 }
    expect(pairedChange(promptsOf(each))).toMatchObject({
      ...each,
      ...newcombePaired(each),
      n: 100,
      prompts: 100,
      isRepeated: false,
      before: 0.8,
      after: 0.22,
      pValue: mcNemarExact(60, 2),
      midP: mcNemarMidP(60, 2),
    })
    expect(pairedChange(promptsOf(each, 3))).toMatchObject({
      a: 60,
      b: 180,
      c: 6,
      d: 54,
      n: 300,
      prompts: 100,
      isRepeated: true,
      midP: null,
    })
    expect(pairedChange([])).toMatchObject({ n: 0, before: null, difference: null, pValue: 1 })
  })
})

describe('replies that differ are worth more than one, and never more than their number', () => {
  const { uniform } = randomStream(3, 'repeated')
  const coins = (prompts: number, k: number, share: number) =>
    Array.from({ length: prompts }, () =>
      Array.from({ length: k }, () => Number(uniform() < share)),
    )

  it('of independent replies each counts', () => {
    const found = repeatedRate(coins(2000, 5, 0.3))!
    expect(found.effective).toBeGreaterThan(0.9 * 10_000)
    expect(found.effective).toBeLessThanOrEqual(10_000)
    expect(found.estimate).toBeCloseTo(0.3, 1)
  })

  it('every prompt weighs the same, however many replies it has', () => {
    expect(repeatedRate([[1], [0, 0, 0]])).toMatchObject({ estimate: 0.5, effective: 2 })
  })

  it('no change leaves a width, and a margin that few prompts cannot show', () => {
    const quiet = promptsOf({ a: 3, b: 0, c: 0, d: 0 }, 50)
    const { difference, lower, upper } = repeatedDifference(quiet)!
    expect(difference).toBe(0)
    expect(upper - lower).toBeGreaterThan(0.5)
    expect(effectiveChange(quiet, 'more')).toEqual({ lost: 0, gained: 0, n: 3 })
  })

  it('the exact test gets no more than the replies, rounded against what is to be shown', () => {
    const prompts = coins(40, 5, 0.8).map((before, i) => ({ before, after: coins(40, 5, 0.7)[i]! }))
    const [more, less] = [effectiveChange(prompts, 'more'), effectiveChange(prompts, 'less')]
    expect(more.n).toBeGreaterThan(40)
    expect(more.n).toBeLessThanOrEqual(200)
    const { difference } = repeatedDifference(prompts)!
    expect((more.lost - more.gained) / more.n).toBeGreaterThanOrEqual(difference)
    expect((less.lost - less.gained) / less.n).toBeLessThanOrEqual(difference)
  })
})

describe('the flips of prompts', () => {
  it('are counted by hand: changes of 2/3, 1/3 and −1/3', () => {
    const prompts: PromptPair[] = [
      { before: [1, 1, 1], after: [1, 0, 0] },
      { before: [1, 0, 0], after: [0, 0, 0] },
      { before: [0, 0, 0], after: [0, 1, 0] },
    ]
    // Sums of ±2 ±1 ±1 at least 2 from 0: 4, 2, 2 and their negatives, of eight.
    expect(signFlipTest(prompts)).toBe(6 / 8)
  })

  it('where they are too many to count are drawn, close to the normal tail', () => {
    // Changes of 1/7, 1/8, 1/9, 1/11 and 1/13 have no small common unit.
    const parts = [7, 8, 9, 11, 13]
    const prompts = Array.from({ length: 400 }, (_, i): PromptPair => {
      const k = parts[i % parts.length]!
      const one = [1, ...new Array<number>(k - 1).fill(0)]
      const none = new Array<number>(k).fill(0)
      return i % 16 < 9 ? { before: one, after: none } : { before: none, after: one }
    })
    const changes = prompts.map(({ before, after }) => (before[0]! - after[0]!) / before.length)
    const sum = changes.reduce((all, x) => all + x, 0)
    const tail = normalLowerTail(-Math.abs(sum) / Math.hypot(...changes))
    expect(tail).toBeGreaterThan(0.001)
    expect(Math.abs(signFlipTest(prompts) - 2 * tail)).toBeLessThan(0.02)
  })
})
