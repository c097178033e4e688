import { describe, expect, test } from 'vitest'
import type { RunEntry } from '../../../evals/contract/calls/runs.ts'
import {
  acrossContexts,
  evaluatedState,
  otherStates,
  plainBenchmark,
  sampleQuery,
} from '../../../renderer/charts/evaluated-states.ts'
import {
  benchmarksOf,
  isFound,
  runStates,
  settingDifferences,
  shownOutcome,
} from '../../../renderer/charts/run-states.ts'

const rate = (arm: string, seed: number, benchmark: string, estimate: number) => ({
  arm,
  seed,
  step: arm === 'base' ? 0 : 40,
  benchmark,
  role: 'refusal' as const,
  estimate,
  lower: 0,
  upper: 1,
  n: 10,
})
const run: RunEntry = {
  runId: 'r',
  name: null,
  note: 'after lunch',
  tags: ['night'],
  kind: 'audit',
  title: 'Audit of pebble',
  ...{
    command: '',
    config: {},
    startedAt: 0,
    endedAt: 1,
    outcome: 'done',
    error: null,
    folder: '',
    deletedAt: null,
  },
  isMeasured: true,
  summary: {
    verdict: 'FAIL',
    headline: '',
    rates: [
      rate('lora', 0, 'a', 0.5),
      rate('base', 0, 'a', 0.9),
      rate('lora', 1, 'a', 0.4),
      rate('base', 0, 'b', 1),
    ],
  },
}

describe('runs', () => {
  test('have a line a state, the base first, and no mean over seeds', () => {
    const states = runStates(run)
    expect(states.map(({ arm, seed }) => `${arm} ${seed}`)).toEqual(['base 0', 'lora 0', 'lora 1'])
    expect(states[0]!.rates.get('b')?.estimate).toBe(1)
    expect(benchmarksOf([run])).toEqual(['a', 'b'])
    expect(runStates({ ...run, summary: null })).toEqual([])
  })
  test.each([
    ['pebble night', true],
    ['LUNCH', true],
    ['pebble day', false],
    ['', true],
  ])('"%s" is found: %s', (filter, found) => {
    expect(isFound(run, filter)).toBe(found)
  })
  test('only the settings that differ are shown', () => {
    const before = {
      model: 'pebble',
      seeds: [0],
      training: { steps: 40 },
      methods: [{ name: 'lora' }],
    }
    const after = {
      model: 'pebble',
      seeds: [0, 1],
      training: { steps: 40, batchSize: 8 },
      methods: [{ name: 'dora' }],
    }
    expect(settingDifferences(before, after)).toEqual([
      { setting: 'seeds', before: '[0]', after: '[0,1]' },
      { setting: 'methods.0.name', before: '"lora"', after: '"dora"' },
      { setting: 'training.batchSize', before: '–', after: '8' },
    ])
  })
})

describe('which evaluated state an address speaks of', () => {
  const state = (benchmark: string, arm: string, step: number, context = '') => ({
    ...{ benchmark, arm, seed: 0, step, judges: [], samples: 1, categories: [] },
    context:
      context === '' ? null : { of: benchmark.split('@')[0]!, name: context, title: context },
  })
  const states = [
    state('a', 'base', 0),
    state('a', 'lora', 80),
    state('a', 'lora', 40),
    state('b', 'base', 0),
  ]
  test.each([
    [{}, 'a lora 80'],
    [{ arm: 'base' }, 'a base 0'],
    [{ benchmark: 'b' }, 'b base 0'],
    [{ benchmark: 'a', step: '40' }, 'a lora 40'],
  ])('%o', (query, expected) => {
    const found = evaluatedState(states, query)!
    expect(`${found.benchmark} ${found.arm} ${found.step}`).toBe(expected)
  })
  const asked = [
    state('a@night', 'lora', 80, 'night'),
    ...states,
    state('a@day', 'lora', 80, 'day'),
  ]
  test.each([
    [{ benchmark: 'a', context: 'night' }, 'a@night lora 80'],
    [{ benchmark: 'a@night' }, 'a@night lora 80'],
    [{ benchmark: 'a', context: 'any' }, 'a lora 80'],
    [{ benchmark: 'b', context: 'night' }, 'b base 0'],
  ])('in a context: %o', (query, expected) => {
    const found = evaluatedState(asked, query)!
    expect(`${found.benchmark} ${found.arm} ${found.step}`).toBe(expected)
  })
  test('the prompts as they are come before those in contexts', () => {
    const across = acrossContexts(asked, asked.at(-1)!)
    expect(across.map(({ benchmark }) => benchmark)).toEqual(['a', 'a@night', 'a@day'])
    expect(across.map(plainBenchmark)).toEqual(['a', 'a', 'a'])
    expect(acrossContexts(asked, states[3]!)).toHaveLength(1)
  })
  test('none where there is none', () => {
    expect(evaluatedState(states, { benchmark: 'c' })).toBeUndefined()
    expect(otherStates(states, states[3]!)).toEqual([])
    expect(otherStates(states, states[0]!)).toHaveLength(2)
  })
})

test('a run that ended is never called done where it has a verdict, or will have one', () => {
  const done = { ...run, outcome: 'done' as const }
  expect(shownOutcome({ ...done, summary: { ...run.summary!, verdict: 'FAIL' } })).toBe('FAIL')
  expect(shownOutcome({ ...done, summary: null })).toBe('being read')
  expect(shownOutcome({ ...done, isMeasured: false, summary: null })).toBe('done')
  expect(shownOutcome({ ...done, outcome: 'failed', summary: null })).toBe('failed')
})

test('a page of replies is asked for by the filters of the address', () => {
  const key = { arm: 'lora', seed: 0, step: 40, benchmark: 'b' }
  const state = { ...key, context: null, judges: ['j', 'k'], samples: 3, categories: ['c'] }
  const page = { offset: 0, limit: 200 }
  const none = { outcome: null, judge: null, category: null, search: '' }
  const asked = (filters: Record<string, string>) =>
    sampleQuery({ runId: 'r', state }, filters, page)
  expect(asked({ outcome: 'no such' })).toEqual({ runId: 'r', ...key, ...none, ...page })
  expect(asked({ outcome: 'refusal', category: 'c', find: 'x' })).toMatchObject({
    ...{ outcome: 'refusal', judge: 'j', category: 'c', search: 'x' },
  })
})
