/** @file Rows as the tables of the document show them: the first judge, the last step, and the sign of a change. */
import { describe, expect, test } from 'vitest'
import type { Block, Cell, Section } from '../../../evals/contract/document.ts'
import type { MatchedSeed } from '../../../evals/contract/results.ts'
import { matchedSection } from '../../../evals/document/sections/matched.ts'
import { pairsSection } from '../../../evals/document/sections/pairs.ts'
import { ratesSection } from '../../../evals/document/sections/rates.ts'
import { changeSection } from '../../../evals/document/sections/spectra.ts'
import { cellText } from '../../../evals/document/text.ts'

type Table = Extract<Block, { type: 'table' }>
const tablesOf = ([section]: readonly Section[]): Table[] =>
  section!.blocks.filter((block) => block.type === 'table')
const rowsOf = ({ columns, groups }: Table) =>
  groups.flatMap(({ rows }) =>
    rows.map((row: readonly Cell[]) =>
      Object.fromEntries(row.map((cell, c) => [columns[c]!.head, cellText(cell)])),
    ),
  )

const benchmark = {
  name: 'r',
  title: 'Refusal',
  samples: 100,
  digest: '',
  maxNewTokens: 8,
  role: 'refusal' as const,
  judges: ['first', 'second'],
}
const EMPTY = { benchmarks: [benchmark], evaluations: [], metrics: [], spectrumTotals: [] }

describe('methods at the same training loss', () => {
  /** The reference refused 80 of 100, the other 50: a = 50, b = 30. */
  const pair: MatchedSeed['pairs'][number] = {
    arm: 'full',
    reference: 'lora',
    referenceStep: 9,
    seed: 0,
    step: 4,
    benchmark: 'r',
    judge: 'first',
    a: 50,
    b: 30,
    c: 0,
    d: 20,
    n: 100,
    difference: 0.3,
    lower: 0.2,
    upper: 0.4,
    pValue: 0,
    droppedUndecided: 0,
  }
  const shown = (pairs: readonly MatchedSeed['pairs'][number][]) =>
    rowsOf(
      tablesOf(
        matchedSection({
          ...EMPTY,
          matched: [{ seed: 0, target: 1, arms: [], pairs }],
        } as never),
      )[1]!,
    )

  test('a rate that is lower in the other method is a fall, by the first judge alone', () => {
    const pairs = [pair, { ...pair, judge: 'second' }, { ...pair, benchmark: 'unknown' }]
    expect(shown(pairs)).toEqual([
      {
        Seed: '0',
        From: 'lora, step 9',
        To: 'full, step 4',
        Benchmark: 'Refusal',
        Change: '−30.0 (−40.0 to −20.0)',
        'Exact p': 'p < 1e-9',
        Pairs: '100',
      },
    ])
  })

  test('where nothing was decided by both there is no change', () => {
    const undecided = { ...pair, n: 0, difference: null, lower: null, upper: null }
    expect(shown([undecided])[0]!['Change']).toBe('–')
  })
})

describe('before and after', () => {
  const comparison = {
    arm: 'lora',
    seed: 0,
    step: 80,
    benchmark: 'r',
    judge: 'first',
    a: 4,
    b: 5,
    c: 2,
    d: 0,
    n: 11,
    difference: 0.3,
    lower: 0.1,
    upper: 0.5,
    pValue: 0.02,
    holmP: 0.04,
    droppedUndecided: 0,
  }
  test('the last step by the first judge stands with its change as after − before, and leads to its replies', () => {
    const comparisons = [
      { ...comparison, step: 40 },
      comparison,
      { ...comparison, judge: 'second' },
    ]
    const [table] = tablesOf(
      pairsSection({
        ...EMPTY,
        comparisons,
        verdict: { margin: 0.05 },
        run: { id: 'run-1' },
      } as never),
    )
    expect(rowsOf(table!)).toEqual([
      {
        Checkpoint: 'lora, seed 0',
        Before: '81.8 %',
        After: '54.5 %',
        'Change (points)': '−30.0',
        '95 % interval': '−50.0 to −10.0',
        '': '',
        'Exact p': 'p = 0.020',
        Holm: 'p = 0.040',
        Lost: '5',
        Gained: '2',
        Pairs: '11',
      },
    ])
    const cells = table!.groups[0]!.rows[0]!
    expect(cells).toContainEqual({
      forest: { change: 0.3, lower: 0.1, upper: 0.5, margin: 0.05, reach: 0.5 },
    })
    expect(cells.at(-1)).toMatchObject({
      replies: { run: 'run-1', benchmark: 'r', arm: 'lora', seed: 0, step: 80, show: 'pairs' },
    })
  })
})

test('the rate of a lone base stands by itself', () => {
  const rate = { successes: 9, n: 10, estimate: 0.9, lower: 0.6, upper: 0.98 }
  const evaluations = [
    { arm: 'base', seed: 0, step: 0, benchmark: 'r', judge: 'first', judgeVersion: '1', rate },
  ]
  const [table] = tablesOf(ratesSection({ ...EMPTY, comparisons: [], evaluations } as never))
  expect(rowsOf(table!)).toMatchObject([
    { Checkpoint: 'base', Rate: '90.0 %', '95 %': '60.0 % – 98.0 %', 'Change (points)': '–' },
  ])
})

test('matrices that an adapter left alone have a column where there are any', () => {
  const total = {
    ...{ arm: 'lora', seed: 0, step: 40, matrices: 4, slots: 30, intruders: 2 },
    ...{ meanEffectiveRankOfChange: 4.5, meanRelativeChange: 0.25 },
  }
  const shown = (unchanged?: number) =>
    rowsOf(
      tablesOf(
        changeSection({
          ...EMPTY,
          spectrumTotals: [{ ...total, unchanged }],
          spectrumLinks: [],
        } as never),
      )[0]!,
    )[0]!
  expect(shown(1)).toMatchObject({ Matrices: '4', Unchanged: '1', Intruders: '2 of 30' })
  expect(shown()).not.toHaveProperty('Unchanged')
})
