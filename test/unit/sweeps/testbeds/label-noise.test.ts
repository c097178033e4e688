/** @file Label noise: how many labels, only wrong ones, nested in p, and each wrong class alike. */
import { describe, expect, it } from 'vitest'
import { noisyLabels } from '../../../../evals/sweeps/testbeds/label-noise.ts'

const LABELS = Array.from({ length: 3000 }, (_, i) => i % 3)
const changed = (p: number, seed = 0) =>
  noisyLabels(LABELS, 3, p, seed).flatMap((label, i) => (label === LABELS[i] ? [] : [i]))

describe('noisyLabels', () => {
  it('changes none at 0, all at 1, and the share in between', () => {
    expect(noisyLabels(LABELS, 3, 0, 0)).toEqual(LABELS)
    expect(changed(1)).toHaveLength(3000)
    // Four standard deviations of Bin(3000, 0.2).
    expect(Math.abs(changed(0.2).length - 600)).toBeLessThan(4 * Math.sqrt(3000 * 0.2 * 0.8))
  })

  it('the noise of a smaller p is part of a larger one’s, label for label', () => {
    const [less, more] = [noisyLabels(LABELS, 3, 0.1, 4), noisyLabels(LABELS, 3, 0.2, 4)]
    less.forEach((label, i) => {
      if (label !== LABELS[i]) expect(more[i]).toBe(label)
    })
    expect(changed(0.1, 4).length).toBeLessThan(changed(0.2, 4).length)
  })

  it('draws each wrong class alike, and other rows with another seed', () => {
    const steps = noisyLabels(LABELS, 3, 1, 0).map((label, i) => (label - LABELS[i]! + 3) % 3)
    const ones = steps.filter((step) => step === 1).length
    expect(Math.abs(ones - 1500)).toBeLessThan(4 * Math.sqrt(3000 / 4))
    expect(changed(0.2, 1)).not.toEqual(changed(0.2, 2))
    expect(changed(0.2, 1)).toEqual(changed(0.2, 1))
  })

  it('two classes have one wrong label, one class has none', () => {
    expect(noisyLabels([0, 1, 1, 0], 2, 1, 9)).toEqual([1, 0, 0, 1])
    expect(() => noisyLabels([0], 1, 0.5, 0)).toThrow('internal:')
  })
})
