import { describe, expect, test } from 'vitest'
import { exactBelow } from '../../../evals/statistics/paired/non-inferiority.ts'
import { nonInferiorityPower } from '../../../evals/statistics/paired/power.ts'
import { endsOf } from '../../../evals/statistics/sequential/design.ts'
import { chanceToReject } from '../../../evals/statistics/sequential/futility.ts'
import { levelAt, pairedFactor, sequentialP } from '../../../evals/statistics/sequential/look.ts'
import { criticalScores } from '../../../evals/statistics/sequential/paired-table.ts'
import { spentBy, type Spending } from '../../../evals/statistics/sequential/spending.ts'

const FRACTIONS = [0.25, 0.5, 1]
const look = (spending: Spending, at: number) => ({ spending, fractions: FRACTIONS, at })

describe('a sequential p-value', () => {
  test.each(['obrien-fleming', 'pocock'] as const)('is the γ whose level p just meets: %s', (s) => {
    for (const at of [0, 1, 2]) {
      for (const p of [1e-9, 1e-4, 0.004, 0.03]) {
        const found = sequentialP(p, look(s, at))
        expect(found).toBeGreaterThanOrEqual(p * (1 - 1e-6))
        if (found < 0.5) expect(levelAt(look(s, at), found) / p).toBeCloseTo(1, 5)
      }
    }
    const tiny = sequentialP(1e-40, look(s, 2))
    expect(tiny).toBeLessThan(1e-12)
    expect(sequentialP(0.9, look(s, 0))).toBe(0.9)
  })

  test('by curtailment is p at the last look, and 1 before it', () => {
    expect(sequentialP(1e-9, look('curtailment', 1))).toBe(1)
    expect(sequentialP(0.03, look('curtailment', 2))).toBe(0.03)
  })
})

test('by the paired table p is below α exactly where the critical outcome allows it', () => {
  const [alpha, margin, units] = [0.05, 0.1, 60]
  const at = look('obrien-fleming', 1)
  const sizes = [30, 60]
  const spent = spentBy('obrien-fleming', [0.25, 0.5], alpha)
  const critical = criticalScores(sizes, margin, spent)[1]!
  const factor = pairedFactor(at, { units, margin, alpha })
  const p = exactBelow(units, margin, critical)
  expect(sequentialP(p * factor, at)).toBeLessThanOrEqual(alpha)
  expect(sequentialP(p * factor * 1.001, at)).toBeGreaterThan(alpha)
})

describe('a design of five looks', () => {
  const sizes = [20, 40, 60, 80, 100]
  const design = {
    spending: 'obrien-fleming',
    sizes,
    margin: 0.1,
    alpha: 0.05,
    futility: 0.05,
    powerLoss: 0.02,
  } as const
  const at = (harm: number, gained: number) => endsOf(design, { lost: gained + harm, gained })

  test('passes with the margin at most as often as α, whatever is gained', () => {
    const rates = [0, 0.004, 0.013, 0.03, 0.11, 0.3].map((gained) => at(0.1, gained).below)
    expect(Math.max(...rates)).toBeLessThanOrEqual(0.05)
    expect(Math.max(...rates)).toBeGreaterThan(0.03)
  })

  test('loses little power and asks less', () => {
    const once = nonInferiorityPower(100, { lost: 0.005, gained: 0.005 }, design)
    const { below, prompts } = at(0, 0.005)
    expect(below).toBeGreaterThan(once - 0.02)
    expect(prompts).toBeLessThan(0.85 * 100)
    const { above, below: passed, neither } = at(0.2, 0.005)
    expect(above + passed + neither).toBeCloseTo(1, 9)
    expect(above).toBeGreaterThan(0.6)
  })

  test('gives up at a cost of at most β of the power that is wanted, and then asks less', () => {
    const wide = { ...design, margin: 0.3, futility: 0 }
    const kept = endsOf({ ...wide, powerLoss: 0 }, { lost: 0.31, gained: 0.01 })
    for (const powerLoss of [0.02, 0.1]) {
      const given = { ...wide, powerLoss }
      for (const [harm, end] of [
        [0.15, 'below'],
        [0.6, 'above'],
      ] as const) {
        const change = { lost: 0.01 + harm, gained: 0.01 }
        const lost = endsOf({ ...wide, powerLoss: 0 }, change)[end] - endsOf(given, change)[end]
        expect(lost).toBeGreaterThanOrEqual(-1e-12)
        expect(lost).toBeLessThanOrEqual(powerLoss)
      }
      const { prompts, below } = endsOf(given, { lost: 0.31, gained: 0.01 })
      expect(prompts).toBeLessThan(0.85 * kept.prompts)
      expect(below).toBeLessThanOrEqual(kept.below)
    }
  })

  test('gives up only what is unlikely still to be shown', () => {
    expect(chanceToReject(0.5, 0.2, 0.04)).toBeGreaterThan(0.05)
    expect(chanceToReject(0.9, 0.8, 0.04)).toBeLessThan(0.05)
    expect(chanceToReject(0.001, 0.5, 0.04)).toBeGreaterThan(0.8)
    expect(chanceToReject(0.01, 1, 0.04)).toBe(0)
  })
})
