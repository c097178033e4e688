/** The list of runs: what its columns say, and how they sort. */
import { describe, expect, test } from 'vitest'
import type { RunEntry } from '../../../evals/contract/calls/runs.ts'
import { benchmarksOf } from '../../../renderer/charts/run-states.ts'
import {
  canCompare,
  rateColumns,
  RUN_COLUMNS,
  sortedRuns,
  USUAL_COLUMNS,
} from '../../../renderer/charts/run-columns.ts'

const rate = (arm: string, seed: number, benchmark: string, estimate: number) => ({
  ...{ arm, seed, benchmark, estimate, step: 0, role: 'refusal' as const },
  ...{ lower: 0, upper: 1, n: 12 },
})
const runOf = (runId: string, startedAt: number, part: Partial<RunEntry> = {}): RunEntry => ({
  ...{ runId, name: null, note: '', tags: [], kind: 'audit', title: `Audit ${runId}` },
  ...{ command: '', config: { model: '/models/tiny' }, startedAt, endedAt: startedAt + 65_000 },
  ...{ outcome: 'done', error: null, folder: '', deletedAt: null, isMeasured: true, summary: null },
  ...part,
})
const told = runOf('a', 1, {
  tags: ['night'],
  summary: {
    ...{ verdict: 'FAIL', headline: '' },
    rates: [
      rate('base', 0, 'x', 0.99),
      rate('base', 0, 'y', 1),
      rate('lora', 0, 'x', 0.5),
      rate('lora', 1, 'x', 0),
    ],
  },
})
const sweep = runOf('b', 3, { kind: 'sweep', isMeasured: false, endedAt: null })
const passed = runOf('c', 2, { summary: { verdict: 'PASS', headline: '', rates: [] } })
const runs = [told, sweep, passed]
const textOf = (run: RunEntry, name: string) =>
  RUN_COLUMNS.find((column) => column.name === name)!.text(run)
const order = (by: string) => sortedRuns(runs, RUN_COLUMNS, by).map(({ runId }) => runId)

describe('the list of runs', () => {
  test('says outcome, sizes, dates and tags', () => {
    const texts = ['outcome', 'model', 'variants', 'prompts', 'took', 'tags']
    expect(texts.map((name) => textOf(told, name))).toEqual([
      ...['FAIL', 'tiny', '2', '24', '1 min 5 s', 'night'],
    ])
    expect(textOf(sweep, 'took')).toBe('–')
    expect(USUAL_COLUMNS.filter((name) => !RUN_COLUMNS.some((each) => each.name === name))).toEqual(
      [],
    )
  })
  test('has a column a benchmark, with the base’s rate and the range of the variants', () => {
    const [x, y] = rateColumns(benchmarksOf(runs))
    expect(x!.text(told)).toBe('99.0 % → 0.0 % to 50.0 %')
    expect(y!.text(told)).toBe('100.0 %')
    expect(x!.text(sweep)).toBe('–')
  })
  test('sorts up and down, what says nothing last', () => {
    expect(order('started')).toEqual(['a', 'c', 'b'])
    expect(order('-started')).toEqual(['b', 'c', 'a'])
    expect(order('took').at(-1)).toBe('b')
    expect(order('-took').at(-1)).toBe('b')
    expect(order('outcome')[0]).toBe('a')
    expect(order('no such column')).toEqual(['a', 'b', 'c'])
  })
  test('offers to compare only what was measured on prompts', () => {
    expect(runs.filter(canCompare).map(({ runId }) => runId)).toEqual(['a', 'c'])
  })
})
