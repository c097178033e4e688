/** @file The curves of the growth bench, its rows, the table by processor, and what a card is held to. */
import { expect, test } from 'vitest'
import { LineChart } from '../../../evals/contract/document/charts.ts'
import { svgPicture } from '../../../evals/document/charts/picture.ts'
import { differenceOf } from '../../bench/card/losses.ts'
import { AXES, chartOf, runRow, stepRow, STEP_START } from '../../bench/harness/growth-curves.ts'
import { cardBytesIn } from '../../bench/harness/machine.ts'
import { classOf, tableOf } from '../../bench/limit/by-processor.ts'

const of = (way: string, median: number) => ({
  ...{ way, median, min: median - 100, max: median + 500, bytes: 3 * 2 ** 20 },
})

test('prompts, tokens, steps, arms, layers and width are walked', () => {
  expect(AXES).toEqual(
    expect.arrayContaining(['prompts', 'length', 'steps', 'arms', 'layers', 'width']),
  )
})

test('a curve has a line for each way, from its fastest to its slowest, and begins at 0', () => {
  const ways = (x: number) => [of('one by one', 2000 * x), of('in one pass', 1000 * x)]
  const chart = chartOf({ axis: 'arms', points: [1, 2].map((x) => ({ x, ways: ways(x) })) })
  expect(LineChart.parse(chart)).toEqual(chart)
  expect(chart.range).toEqual([0, 4.5])
  expect(chart.series.map(({ label }) => label)).toEqual([
    'one by one: median, fastest to slowest',
    'in one pass: median, fastest to slowest',
  ])
  expect(chart.series[1]!.points[1]).toEqual({ x: 2, y: 2, lower: 1.9, upper: 2.5 })
  expect(svgPicture([chart], '')).toContain('An evaluation of several arms, s')
})

test('a step is told in ms, and so is one token of it; a run in s, and one of its parts in ms', () => {
  expect(stepRow(STEP_START, of('a step', 1024))).toBe(
    '| 6 | 576 | 4 × 128 | 8 | 1024 (924–1524) | 2.00 | 3 |',
  )
  expect(runRow(4, of('in one pass', 2000))).toBe(
    '| 4 | in one pass | 2.00 (1.90–2.50) | 500 | 3 |',
  )
})

test('losses on a card are held to the processor’s, and a failure is a sentence', () => {
  expect(differenceOf([1, 2.002], [1, 2])).toBeCloseTo(0.001, 10)
  expect(differenceOf([1, NaN], [1, 2])).toBe('a loss is not finite')
  expect(differenceOf([1], [1, 2])).toBe('1 losses there, 2 here')
  expect(differenceOf([], [])).toBe('0 losses there, 0 here')
  expect(differenceOf('It has no kernel.', [1])).toBe('It has no kernel.')
})

test('what a process holds of the cards is the sum over them, and unknown where nobody says', () => {
  expect(cardBytesIn('12, 100\n7, 30\n7, 12\n', 7)).toBe(42 * 2 ** 20)
  expect(cardBytesIn('7, [N/A]\n', 7)).toBeNull()
  expect(cardBytesIn('', 7)).toBeNull()
})

test('every class of processor stands in the table, and in it the steps alone', () => {
  const files = ['peers-2026-11-26-intel.json', 'peers-a.json', 'peers-avx512-amd.json']
  const row = (file: string, work = 'lora-step') => ({
    ...{ processor: classOf(file), work, file, text: 'x ' },
  })
  const table = tableOf([...files.map((file) => row(file)), row('peers-a.json', 'generate')])
  expect(table.slice(2)).toEqual([
    '| AMD EPYC (family 25), AVX2 | `lora-step` | x | `peers-a.json` |',
    '| AMD EPYC (family 26), AVX-512 | `lora-step` | x | `peers-avx512-amd.json` |',
    '| Intel Xeon (family 6), AVX-512 | `lora-step` | x | `peers-2026-11-26-intel.json` |',
  ])
  expect(classOf('limit-2026-12-02-intel-as-avx2.json')).toContain('held to AVX2')
})
