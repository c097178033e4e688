/** @file Charts over steps: intruders of checkpoints, and a sweep’s curves with their bands. */
import { expect, test } from 'vitest'
import { sweepCurves, type SweepShown } from '../../../renderer/charts/double-descent.ts'
import { intrudersOverSteps } from '../../../renderer/charts/intruders-over-steps.ts'

test('intruders have a line an arm and seed, in the order of steps', () => {
  const state = (arm: string, step: number, intruders: number) => ({
    arm,
    seed: 0,
    step,
    intruders,
  })
  const { series } = intrudersOverSteps(
    [state('lora', 40, 9), state('lora', 20, 2), state('full', 40, 0)],
    ['full', 'lora'],
  )
  // A variant keeps its colour whatever order its checkpoints come in.
  expect(series.map(({ colour }) => colour)).toEqual([1, 0])
  expect(series.map(({ label, points }) => [label, points])).toEqual([
    [
      'lora, seed 0',
      [
        { x: 20, y: 2 },
        { x: 40, y: 9 },
      ],
    ],
    ['full, seed 0', [{ x: 40, y: 0 }]],
  ])
})

test('a curve over steps is drawn with the range of its seeds, and no other curve with it', () => {
  const curve = (name: string, median: number) => ({
    ...{ line: 'lora', axes: { rank: 4 }, name, seeds: 3 },
    points: [{ x: 1, median, minimum: median - 1, maximum: median + 2 }],
  })
  const sweep = {
    lines: [{ name: 'lora', title: 'LoRA' }],
    axes: [{ name: 'rank', title: 'Rank', scale: 'log', values: [1, 4] }],
    curves: [curve('train-loss', 5), curve('test-loss', 7)],
  } as unknown as SweepShown
  const { series } = sweepCurves(sweep, 'train-loss')
  expect(series).toMatchObject([
    { label: 'LoRA, Rank 4 (median)', points: [{ x: 1, y: 5, lower: 4, upper: 7 }] },
  ])
})

test.each([
  ['that explodes', 1000, 'log'],
  ['that falls slowly', 7, 'linear'],
])('a loss %s is drawn on its scale', (_, maximum, scale) => {
  const points = [{ x: 1, median: 5, minimum: 4, maximum }]
  const curves = [{ line: 'lora', axes: {}, name: 'train-loss', seeds: 3, points }]
  const sweep = { lines: [], axes: [], curves } as unknown as SweepShown
  expect(sweepCurves(sweep, 'train-loss').yScale).toBe(scale)
})
