import { describe, expect, test } from 'vitest'
import type { MetricRow } from '../../../evals/contract/rows.ts'
import { chartTable, numberText, textAt } from '../../../renderer/charts/chart-table.ts'
import { doubleDescent, type SweepShown } from '../../../renderer/charts/double-descent.ts'
import { trainingCurve } from '../../../renderer/charts/training-curve.ts'

const subject = { arm: 'lora', seed: 0, step: 0 }

const metric = (step: number, value: number, seed = 0): MetricRow => ({
  ...subject,
  seed,
  step,
  name: 'train/loss',
  value,
})

describe('a training curve', () => {
  const chart = trainingCurve(
    [
      metric(2, 0.5),
      metric(1, 1),
      metric(1, 2, 1),
      { ...metric(1, 9), name: 'train/gradient-norm' },
    ],
    { metrics: { 'train/loss': '' }, title: 'Loss', unit: 'nats' },
  )
  test('of several metrics has a line each, told apart in words', () => {
    const leaning = (kind: string) => ({ ...metric(1, 2), name: `leaning/${kind}` })
    const both = trainingCurve([leaning('refuse'), leaning('comply'), metric(1, 9)], {
      metrics: { 'leaning/refuse': 'to refuse', 'leaning/comply': '' },
      title: '',
      unit: '',
    })
    expect(both.series.map(({ label }) => label)).toEqual([
      'lora, seed 0, to refuse',
      'lora, seed 0',
    ])
  })
  test('has a line for each rate of a method that gives tensors rates of their own', () => {
    const rate = (name: string, value: number) => ({ ...metric(1, value), name })
    const rows = [rate('train/learning-rate', 1), rate('train/learning-rate/×16', 16)]
    const text = { metrics: { 'train/learning-rate': '' }, title: '', unit: '' }
    expect(trainingCurve(rows, text).series.map(({ label }) => label)).toEqual([
      'lora, seed 0',
      'lora, seed 0, ×16',
    ])
  })
  test('has a line a seed, in the order of steps, and no other metric', () => {
    expect(chart.series.map(({ label, points }) => [label, points])).toEqual([
      [
        'lora, seed 0',
        [
          { x: 1, y: 1 },
          { x: 2, y: 0.5 },
        ],
      ],
      ['lora, seed 1', [{ x: 1, y: 2 }]],
    ])
  })
  test('gives a variant one colour, and its seeds dashes', () => {
    const rows = [metric(1, 1), metric(1, 2, 1), { ...metric(1, 3), arm: 'full' }]
    const text = { metrics: { 'train/loss': '' }, title: '', unit: '' }
    const styles = trainingCurve(rows, text).series.map(({ colour, dash }) => [colour, dash])
    expect(styles).toEqual([
      ...[
        [0, 0],
        [0, 1],
      ],
      [1, 0],
    ])
  })
  test('on a logarithmic axis leaves out what has no logarithm, and is told without points', () => {
    const text = { metrics: { 'train/loss': '' }, title: 'Norm', unit: '', scale: 'log' as const }
    expect(trainingCurve([metric(1, 0), metric(2, 3)], text)).toMatchObject({
      yScale: 'log',
      series: [{ points: [{ x: 2, y: 3 }] }],
    })
    expect(trainingCurve([metric(1, 0)], text).series).toEqual([])
  })
  test('is a table with a gap where a line has no number', () => {
    expect(chartTable(chart)).toEqual({
      head: ['Step', 'lora, seed 0', 'lora, seed 1'],
      rows: [
        ['1', '1', '2'],
        ['2', '0.5', '–'],
      ],
    })
    expect(textAt(chart, 2)).toBe('Step 2 · lora, seed 0: 0.5')
  })
})

test('a sweep shows medians, the whole range, and every seed', () => {
  const cell = (seed: number, width: number, value: number) => ({
    position: seed,
    key: '0'.repeat(64),
    status: 'done' as const,
    error: null,
    seconds: 1,
    identity: { base: null, data: null, prompts: null, numerics: '1' },
    spec: {
      kind: 'testbed' as const,
      line: 'a',
      axes: { width },
      seed,
      threads: 1,
      testbed: 't',
      parameters: {},
    },
    metrics: [{ name: 'error', value }],
  })
  const sweep: SweepShown = {
    id: 's',
    preset: null,
    purpose: null,
    curves: [],
    rebounds: [],
    descents: [],
    axes: [{ name: 'width', title: 'Width', scale: 'log', values: [1, 2] }],
    lines: [{ name: 'a', title: 'A' }],
    metrics: [{ name: 'error', title: 'Error', unit: 'share' }],
    summaries: [
      {
        line: 'a',
        axes: { width: 1 },
        metric: 'error',
        seeds: 2,
        median: 2,
        mean: 2,
        minimum: 1,
        maximum: 3,
      },
    ],
    cells: [cell(0, 1, 1), cell(1, 1, 3)],
  }
  const chart = doubleDescent(sweep, { metric: 'error', axis: 'width' })
  expect(chart).toMatchObject({ xScale: 'log', title: 'Error (share) along Width' })
  expect(chart.series).toMatchObject([
    {
      points: [{ x: 1, y: 2, lower: 1, upper: 3 }],
      dots: [
        { x: 1, y: 1 },
        { x: 1, y: 3 },
      ],
    },
  ])
})

test.each([
  [0, '0'],
  [12, '12'],
  [0.123456, '0.1235'],
  [0.00001234, '1.23e-5'],
  [12_345_678, '1.23e+7'],
])('the number %f is written %s', (value, text) => {
  expect(numberText(value)).toBe(text)
})
