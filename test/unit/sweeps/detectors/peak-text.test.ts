/** @file The sentences: each has its numbers, says what it does not mean, and never claims what was not found. */
import { describe, expect, it } from 'vitest'
import type { PeakFinding } from '../../../../evals/sweeps/detectors/peak.ts'
import { peakText } from '../../../../evals/sweeps/detectors/peak-text.ts'

describe('peak', () => {
  const words = { quantity: 'test error', axis: 'rank' }
  const found = {
    x: 8,
    lower: 4,
    upper: 16,
    rise: 3.456,
    fall: 6,
    height: 3.456,
    heightInSds: 2.14,
    seedsWithPeak: 9,
    seedsAsked: 10,
  }
  const finding: PeakFinding = {
    verdict: 'peak',
    reason: null,
    shape: 'peak',
    scale: 'linear',
    α: 0.05,
    p: 0.0123,
    seeds: 10,
    places: 7,
    droppedCells: 0,
    droppedPlaces: [],
    found,
    without: [],
    power: [
      { height: 0.5, power: 0.04 },
      { height: 1, power: 0.32 },
      { height: 2, power: 0.98 },
    ],
  }

  it('is told with place, interval, height, seeds and p', () => {
    expect(peakText(finding, words)).toBe(
      'Test error has an inner peak at rank 8 (95 % interval over seeds 4 to 16), 3.46 above the lowest mean of its less different side ' +
        '(2.14 standard deviations between seeds), in 9 of 10 seeds. p = 0.012 for a curve without an inner peak (10 seeds, 7 values of rank; α = 5 %).',
    )
    expect(peakText({ ...finding, p: 0.0001 }, words)).toContain('p < 0.001')
    expect(peakText({ ...finding, scale: 'log' }, words)).toContain('by a factor of 31.7 above')
    expect(peakText({ ...finding, shape: 'valley' }, words)).toContain('below the highest mean')
  })

  it('that was not seen comes with the power to see one', () => {
    const text = peakText({ ...finding, verdict: 'no peak seen', p: 0.4 }, words)
    expect(text).toContain('No inner peak of test error over rank was seen. p = 0.400')
    expect(text).toContain('4 % for 0.5 standard deviations, 32 % for 1 standard deviation, 98 %')
    expect(text).not.toContain('rank 8')
  })

  it('that cannot be told comes with the reason, and cells left out are counted', () => {
    const text = peakText(
      {
        ...finding,
        verdict: 'cannot tell',
        reason: 'there are 2 seeds, and it needs 3',
        p: null,
        found: null,
        power: [],
        droppedCells: 1,
        droppedPlaces: [2, 0.00001],
      },
      words,
    )
    expect(text).toBe(
      'This sweep cannot tell whether test error has an inner peak over rank: there are 2 seeds, and it needs 3. ' +
        'Left out: 1 cell without a usable value; with them rank 2, 1.00e-5, where fewer than three seeds remained.',
    )
  })
})
