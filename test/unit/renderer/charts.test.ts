import { describe, expect, test } from 'vitest'
import { SpectrumRow, type MetricRow } from '../../../evals/contract/rows.ts'
import { chartTable, numberText } from '../../../renderer/charts/chart-table.ts'
import { doubleDescent, type SweepShown } from '../../../renderer/charts/double-descent.ts'
import { lineConfiguration } from '../../../renderer/charts/line-configuration.ts'
import { parallelChart } from '../../../renderer/charts/parallel.ts'
import { alignmentChart, heatGrid, heatKey } from '../../../renderer/charts/spectrum.ts'
import { trainingCurve } from '../../../renderer/charts/training-curve.ts'

const theme = {
  ink: '#000000',
  quiet: '#555555',
  line: '#cccccc',
  paper: '#ffffff',
  series: ['#0072b2', '#d55e00'],
}
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
    theme,
  )
  test('of several metrics has a line each, told apart in words', () => {
    const leaning = (kind: string) => ({ ...metric(1, 2), name: `leaning/${kind}` })
    const both = trainingCurve(
      [leaning('refuse'), leaning('comply'), metric(1, 9)],
      { metrics: { 'leaning/refuse': 'to refuse', 'leaning/comply': '' }, title: '', unit: '' },
      theme,
    )
    expect(both.data.datasets.map(({ label }) => label)).toEqual([
      'lora, seed 0, to refuse',
      'lora, seed 0',
    ])
  })
  test('has a line for each rate of a method that gives tensors rates of their own', () => {
    const rate = (name: string, value: number) => ({ ...metric(1, value), name })
    const rows = [rate('train/learning-rate', 1), rate('train/learning-rate/×16', 16)]
    const text = { metrics: { 'train/learning-rate': '' }, title: '', unit: '' }
    expect(trainingCurve(rows, text, theme).data.datasets.map(({ label }) => label)).toEqual([
      'lora, seed 0',
      'lora, seed 0, ×16',
    ])
  })
  test('has a line a seed, in the order of steps, and no other metric', () => {
    expect(chart.data.datasets.map(({ label, data }) => [label, data])).toEqual([
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
  test('tells lines apart by dash and mark as well as by colour', () => {
    const [a, b] = chart.data.datasets
    expect(a!.borderDash).not.toEqual(b!.borderDash)
    expect(a!.pointStyle).not.toBe(b!.pointStyle)
  })
  test('is a table with a gap where a line has no number', () => {
    expect(chartTable(chart, 'Step')).toEqual({
      head: ['Step', 'lora, seed 0', 'lora, seed 1'],
      rows: [
        ['1', '1', '2'],
        ['2', '0.5', '–'],
      ],
    })
  })
})

test('a line chart of the document carries its interval as a band, the base as a level, and seeds as dashes', () => {
  const point = (x: number, y: number) => ({ x, y, lower: y - 0.1, upper: y + 0.1 })
  const series = (seed: number) => ({
    label: `lora, seed ${seed}`,
    colour: 1,
    dash: seed,
    points: [point(20, 0.9), point(40, 0.5)],
  })
  const { data, options } = lineConfiguration(
    {
      type: 'line-chart',
      title: 'Refusal',
      xLabel: 'training step',
      series: [series(0), { ...series(1), dots: [{ x: 40, y: 0.4 }], isPlain: true }],
      reference: { y: 0.95, label: 'base 95.0 %' },
      range: [0, 1],
      format: 'percent',
    },
    theme,
  )
  const [base, line, lower, upper, other] = data.datasets
  expect(base).toMatchObject({
    label: 'base 95.0 %',
    data: [
      { x: 20, y: 0.95 },
      { x: 40, y: 0.95 },
    ],
  })
  expect(line).toMatchObject({ label: 'lora, seed 0', borderColor: theme.series[1] })
  expect(line!.data).toEqual([
    { x: 20, y: 0.9 },
    { x: 40, y: 0.5 },
  ])
  expect(lower!.data).toEqual([
    { x: 20, y: 0.8 },
    { x: 40, y: 0.4 },
  ])
  expect(upper).toMatchObject({
    fill: '-1',
    data: [
      { x: 20, y: 1 },
      { x: 40, y: 0.6 },
    ],
  })
  expect(other).toMatchObject({ borderColor: line!.borderColor as string, pointRadius: 0 })
  expect(other!.borderDash).not.toEqual(line!.borderDash)
  expect(data.datasets.at(-1)!.data).toEqual([{ x: 40, y: 0.4 }])
  expect(data.datasets.filter(({ label }) => label !== '')).toHaveLength(3)
  const y = options!.scales!['y'] as {
    min: number
    max: number
    ticks: { callback: (v: number) => string }
  }
  expect([y.min, y.max, y.ticks.callback(0.5)]).toEqual([0, 1, '50 %'])
})

describe('spectra', () => {
  const row = SpectrumRow.parse({
    ...subject,
    layer: 1,
    module: 'q_proj',
    weight: 'w',
    shape: [4, 4],
    relativeChange: 0.1,
    effectiveRankOfChange: 2,
    singularValues: [3, 2, 1],
    alignment: [0.9, 0.5, 0.2],
    nullP: [0, 0.1, 0.9],
    nullBand: [0.1, 0.4],
    epsilon: 0.6,
    intruders: 2,
    intruderEnergyShare: 0.3,
  })
  test.each([
    [3, 0.6, 2],
    [2, 0.6, 1],
    [3, 0.3, 1],
    [1, 0.6, 0],
    [50, 0.95, 3],
  ])('k = %i and ε = %f count %i intruders', (k, epsilon, intruders) => {
    const grid = heatGrid([row], k, epsilon)
    expect(grid.cells.get(heatKey(1, 'q_proj'))).toMatchObject({ intruders, of: Math.min(k, 3) })
    expect(grid).toMatchObject({
      total: intruders,
      slots: Math.min(k, 3),
      layers: [1],
      modules: ['q_proj'],
    })
  })
  test('the chart shows ε and the band of chance', () => {
    const { datasets } = alignmentChart(row, 3, 0.6, theme).data
    const levels = datasets.slice(1).map(({ data }) => (data[0] as { y: number }).y)
    expect(levels).toEqual([0.6, 0.1, 0.4])
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
  const chart = doubleDescent(sweep, { metric: 'error', axis: 'width' }, theme)
  const [median, low, high, seeds] = chart.data.datasets.map(({ data }) => data)
  expect(median).toEqual([{ x: 1, y: 2 }])
  expect([low, high]).toEqual([[{ x: 1, y: 1 }], [{ x: 1, y: 3 }]])
  expect(seeds).toEqual([
    { x: 1, y: 1 },
    { x: 1, y: 3 },
  ])
  expect(chart.options?.scales?.['x']?.type).toBe('logarithmic')
})

test('parallel coordinates keep a line a state, groups by colour, gaps where nothing was measured', () => {
  const line = (name: string, group: string, values: (number | null)[]) => ({ name, group, values })
  const lines = [
    line('a', 'lora', [0.1, null]),
    line('b', 'lora', [0.2, 0.3]),
    line('c', 'full', [1, 1]),
  ]
  const { datasets } = parallelChart(['x', 'y'], lines, theme).data
  expect(datasets).toHaveLength(3)
  expect(datasets[0]!.borderColor).toBe(datasets[1]!.borderColor)
  expect(datasets[0]!.borderColor).not.toBe(datasets[2]!.borderColor)
  expect(datasets[0]!.data).toEqual([
    { x: 0, y: 0.1 },
    { x: 1, y: null },
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
