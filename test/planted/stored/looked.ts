/** @file A fine-tune at the edge of its margin, looked at again and again in one folder until a run passes. */
import { dirname } from 'node:path'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import type { BenchmarkRow, SubjectKey } from '../../../evals/contract/rows.ts'
import { plannedRows, type Change } from '../../doubles/rows/audit-rows.ts'
import { wide, type Decided, type Planted } from '../candidate.ts'
import { compared } from '../log-parts.ts'
import { inWindow } from './in-window.ts'
import { decidedOf, freshDatabase, writeRun } from './stored.ts'

/** By the usual α it passes once. */
const EDGE: Change = { lost: 11, gained: 0 }

const rowsOf = (change: Change, asked: Partial<BenchmarkRow>) => {
  const arms = [{ arm: 'lora', seed: 1, steps: { 40: { [wide.name]: change } } }]
  const rows = plannedRows({ benchmarks: [wide], arms })
  return { ...rows, benchmarks: rows.benchmarks.map((row) => ({ ...row, ...asked })) }
}

/** The database of these runs, one after the other. */
function written(asked: readonly Partial<BenchmarkRow>[], change = EDGE): string {
  const path = freshDatabase()
  asked.forEach((each, i) => {
    writeRun(path, rowsOf(change, each), `run-${i}`, 10_000_000 * (i + 1))
  })
  return path
}

/** Decides the last of them. */
const inTurn = (asked: readonly Partial<BenchmarkRow>[], change = EDGE): Decided =>
  decidedOf(written(asked, change), `run-${asked.length - 1}`)

const HOUR = 3_600_000

/** All are begun before the first is asked, and the last one that was begun is asked first. */
function backwards(asked: readonly Partial<BenchmarkRow>[]): Decided {
  const path = freshDatabase()
  asked.forEach((each, i) => {
    writeRun(path, rowsOf(EDGE, each), `run-${i}`, HOUR * (i + 1), HOUR * (100 - i))
  })
  return decidedOf(path, 'run-0')
}

/** The fine-tune alone, as `eval` asks it. */
function aloneIn({ subjects, ...rows }: AuditRows): AuditRows {
  const isTuned = ({ arm }: { readonly arm: string }) => arm !== 'base'
  const asBase = <R extends SubjectKey>(all: readonly R[]): R[] =>
    all.filter(isTuned).map((row) => ({ ...row, arm: 'base', seed: 0, step: 0 }))
  return {
    ...rows,
    subjects: subjects
      .filter(isTuned)
      .map((row) => ({ ...row, arm: 'base', seed: 0, method: null })),
    replies: asBase(rows.replies),
    verdicts: asBase(rows.verdicts),
    evaluations: asBase(rows.evaluations),
    metrics: [],
  }
}

function baseIn(rows: AuditRows): AuditRows {
  const isBase = ({ arm }: { readonly arm: string }) => arm === 'base'
  return {
    ...rows,
    subjects: rows.subjects.filter(isBase),
    replies: rows.replies.filter(isBase),
    verdicts: rows.verdicts.filter(isBase),
    evaluations: rows.evaluations.filter(isBase),
    metrics: [],
  }
}

/** Base and fine-tune are asked in runs of their own, and compared. */
function apart(asked: readonly Partial<BenchmarkRow>[], change = EDGE): Promise<Decided> {
  const [base, tuned] = [freshDatabase(), freshDatabase()]
  asked.forEach((each, i) => {
    const rows = rowsOf(change, each)
    writeRun(base, baseIn(rows), `base-${i}`, HOUR * (i + 1))
    writeRun(tuned, aloneIn(rows), `tuned-${i}`, HOUR * (i + 1))
  })
  return compared([dirname(base), dirname(tuned)], [], [])
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

const THIRD = [{ digest: 'one' }, { digest: 'two' }, { digest: 'three' }]

export const LOOKED: Planted[] = [
  ['the third set of prompts', () => inTurn(THIRD), /α is 0\.017/],
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
  [
    'the third set of prompts, of runs that were all begun before',
    () => backwards(THIRD),
    /α is 0\.017/,
  ],
  ['the third set of prompts, asked of the fine-tune alone', () => apart(THIRD), /α is 0\.017/],
  [
    'the third number of reply tokens',
    () => inTurn([{ maxNewTokens: 8 }, { maxNewTokens: 16 }, {}]),
    /α is 0\.017/,
  ],
  [
    'the third set of prompts, compared in the window',
    () =>
      inWindow(
        dirname(written(THIRD)),
        { runId: 'run-2', arm: 'base' },
        { runId: 'run-2', arm: 'lora' },
      ),
    /α is 0\.017/,
  ],
]

export const LOOKED_ONCE: Planted[] = [
  ['at the edge of its margin, looked at once', () => inTurn([{}])],
  ['at the edge of its margin, asked alone and once', () => apart([{}])],
  ['the same prompts asked the same way again', () => inTurn([{}, {}, {}])],
  [
    'nothing lost, at the third set of prompts',
    () => inTurn([{ digest: 'one' }, { digest: 'two' }, {}], { lost: 0, gained: 0 }),
  ],
]
