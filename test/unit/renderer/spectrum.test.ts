/** What the map of causes says, above all where no direction is an intruder. */
import { describe, expect, test } from 'vitest'
import type { SpectrumRow } from '../../../evals/contract/rows.ts'
import { heatGrid, heatKey, type MeasureName } from '../../../renderer/charts/spectrum.ts'

const row = (layer: number, module: string, relativeChange: number, rest = {}): SpectrumRow => ({
  ...{ arm: 'lora', seed: 0, step: 40, layer, module, weight: `${layer}.${module}` },
  ...{ shape: [64, 32], relativeChange, effectiveRankOfChange: 8 },
  ...{ singularValues: [2, 1], alignment: [0.9, 0.8], nullP: [0, 0], nullBand: [0.2, 0.5] },
  ...{ epsilon: 0.5, intruders: 0, intruderEnergyShare: 0 },
  ...rest,
})
const rows = [
  row(0, 'q', 0.02),
  row(1, 'q', 0.04, { alignment: [0.9, 0.3], effectiveRankOfChange: null }),
  row(1, 'v', 0.01),
]
const by = { k: 2, epsilon: 0.5 }
const cellOf = (name: MeasureName, given = by) =>
  heatGrid(rows, name, given).cells.get(heatKey(1, 'q'))!

describe('a map of layers and modules', () => {
  test('of change tints by the largest change, and names where it is', () => {
    expect(cellOf('change')).toMatchObject({ label: '4.0 %', share: 1 })
    expect(heatGrid(rows, 'change', by).sum).toBe(
      'Mean change 2.3 % of ‖W0‖ in 3 matrices; most in layer 1, q: 4.0 %.',
    )
  })
  test('of ranks leaves out a matrix without one', () => {
    expect(cellOf('rank')).toMatchObject({ label: '–', share: 0 })
    expect(heatGrid(rows, 'rank', by).sum).toContain('8.00, from 8.00 to 8.00')
  })
  test('of alignments counts what lies no nearer to the base than chance, and is deep where it is far', () => {
    expect(cellOf('alignment')).toMatchObject({ label: '0.30', share: 0.7 })
    expect(cellOf('alignment').says).toContain('0.20 to 0.50')
    expect(heatGrid(rows, 'alignment', by).sum).toMatch(/^In 1 of 3 matrices/u)
  })
  test('of intruders counts again for each k and ε', () => {
    expect(heatGrid(rows, 'intruders', by).sum).toBe('1 intruders of 6 directions in 3 matrices.')
    expect(cellOf('intruders', { k: 1, epsilon: 0.5 }).label).toBe('0')
    expect(cellOf('intruders', { k: 2, epsilon: 0.95 }).says).toBe('Layer 1, q: 2 intruders of 2')
  })
  test('of nothing says nothing', () => {
    expect(heatGrid([], 'change', by)).toMatchObject({ sum: '', layers: [] })
  })
})
