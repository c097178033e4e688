/** @file A fine-tune at the edge of its margin, looked at again and again in one folder until a run passes. */
import type { BenchmarkRow } from '../../../evals/contract/rows.ts'
import { plannedRows, type Change } from '../../doubles/rows/audit-rows.ts'
import { wide, type Decided, type Planted } from '../candidate.ts'
import { decidedOf, freshDatabase, writeRun } from './stored.ts'

/** By the usual α it passes once. */
const EDGE: Change = { lost: 11, gained: 0 }

const rowsOf = (change: Change, asked: Partial<BenchmarkRow>) => {
  const arms = [{ arm: 'lora', seed: 1, steps: { 40: { [wide.name]: change } } }]
  const rows = plannedRows({ benchmarks: [wide], arms })
  return { ...rows, benchmarks: rows.benchmarks.map((row) => ({ ...row, ...asked })) }
}

/** Decides the last of these runs. */
function inTurn(asked: readonly Partial<BenchmarkRow>[], change = EDGE): Decided {
  const path = freshDatabase()
  asked.forEach((each, i) => {
    writeRun(path, rowsOf(change, each), `run-${i}`, 10_000_000 * (i + 1))
  })
  return decidedOf(path, `run-${asked.length - 1}`)
}

const drawn = (seed: number): Partial<BenchmarkRow> => ({
  decoding: { samples: 1, temperature: 0.7, seed },
})
const looking = (seed: number): Partial<BenchmarkRow> => ({
  looks: {
    rule: { spending: 'pocock', looks: 1, seed, futility: 0 },
    order: Array.from({ length: wide.n }, (_, i) => `q${String(i).padStart(3, '0')}`),
    seen: [{ prompts: wide.n, units: wide.n }],
  },
})

export const LOOKED: Planted[] = [
  [
    'the third set of prompts',
    () => inTurn([{ digest: 'one' }, { digest: 'two' }, { digest: 'three' }]),
    /α is 0\.017/,
  ],
  ['the third seed of drawn replies', () => inTurn([drawn(1), drawn(2), drawn(3)]), /α is 0\.017/],
  [
    'prompts added twice',
    () => inTurn([{ samples: 200, digest: 'one' }, { samples: 300, digest: 'two' }, {}]),
    /α is 0\.017/,
  ],
  [
    'looks in another order, begun anew',
    () => inTurn([looking(1), looking(2), looking(3)]),
    /α is 0\.017/,
  ],
  [
    'looks left out after two runs with them',
    () => inTurn([looking(1), looking(2), {}]),
    /α is 0\.017/,
  ],
]

export const LOOKED_ONCE: Planted[] = [
  ['at the edge of its margin, looked at once', () => inTurn([{}])],
  ['the same prompts asked the same way again', () => inTurn([{}, {}, {}])],
  [
    'nothing lost, at the third set of prompts',
    () => inTurn([{ digest: 'one' }, { digest: 'two' }, {}], { lost: 0, gained: 0 }),
  ],
]
