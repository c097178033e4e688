/** @file Pages of 100,000 replies: the right rows, whatever was added since, and a cost that neither the list's length nor the place in it moves. */
import Database from 'better-sqlite3'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { migrate, MIGRATIONS } from '../../../../evals/runs/store/migrations.ts'
import { createPairs } from '../../../../evals/runs/store/pair-pages.ts'
import { openStore, type Store } from '../../../../evals/runs/store/store.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'
import { processorMs } from '../../../doubles/processor-time.ts'

const N = 100_000
const STATE = { runId: 'big', arm: 'lora', seed: 0, step: 40 }
const ALL = {
  ...STATE,
  benchmark: 'made-up',
  outcome: null,
  judge: null,
  category: null,
  search: '',
}
const PAIR = {
  before: { ...STATE, arm: 'base', step: 0 },
  after: STATE,
  benchmarks: ['made-up'],
  judge: 'exact',
  onlyFlips: false,
  category: null,
  search: '',
  outcome: null,
}

/** Every hundredth prompt is lost by the fine-tune. */
const fill = (arm: string, step: number, outcome: string) => `
  INSERT INTO reply SELECT 'big', '${arm}', 0, ${step}, 'made-up', printf('%06d', value), 0,
    iif(value % 2, 'odd', 'even'), '{"kind":"comply"}', 'prompt ' || value, 'd', 'text ' || value, 3, 'stop', -1, NULL FROM n;
  INSERT INTO verdict SELECT 'big', '${arm}', 0, ${step}, 'made-up', printf('%06d', value), 0,
    'exact', '1', ${outcome}, NULL, NULL FROM n;
  INSERT INTO evaluation VALUES ('big', '${arm}', 0, ${step}, 'made-up', ${N});`

let path: string
let store: Store
let beside: Database.Database
beforeAll(() => {
  path = join(freshFolder(), 'touchstone.db')
  // An older file: what it holds must be known as well as what comes later.
  const old = new Database(path)
  const before = MIGRATIONS.findIndex((step) => String(step).includes('TABLE facet'))
  migrate(old, path, MIGRATIONS.slice(0, before))
  old.exec(`INSERT INTO run VALUES ('big', 'eval', 't', 'c', '{}', '{}', 1, 2, 'done', NULL);
    INSERT INTO event VALUES ('big', 1, 1, 'job-start', '{}');
    CREATE TEMP TABLE n AS WITH RECURSIVE c(value) AS (SELECT 0 UNION ALL SELECT value + 1 FROM c WHERE value < ${N - 1})
      SELECT value FROM c;
    ${fill('base', 0, "'correct'")}
    ${fill('lora', 40, "iif(value % 100, 'correct', 'incorrect')")}`)
  old.close()
  store = openStore(path)
  beside = new Database(path)
})
afterAll(() => {
  beside.close()
  store.close()
})

const idsOf = (rows: readonly { sampleId: string }[]) => rows.map(({ sampleId }) => sampleId)

/** Milliseconds of processor time of twenty rounds. */
function timeOf(action: (round: number) => unknown): number {
  const start = processorMs()
  for (let round = 0; round < 20; round++) action(round)
  return processorMs() - start
}

describe('replies', () => {
  test('a page holds the rows at its place, and the whole count', () => {
    const { total, rows } = store.pages.samples({ ...ALL, offset: 99_995, limit: 10 })
    expect(total).toBe(N)
    expect(idsOf(rows)).toEqual(['099995', '099996', '099997', '099998', '099999'])
    expect(rows[0]!.outcomes).toMatchObject([{ judge: 'exact', outcome: 'correct' }])
    const lost = store.pages.samples({ ...ALL, outcome: 'incorrect', offset: 1, limit: 2 })
    expect([lost.total, idsOf(lost.rows)]).toEqual([1000, ['000100', '000200']])
  })

  test('a page costs less than one count of the list, at its beginning and at its end', () => {
    store.pages.samples({ ...ALL, offset: 0, limit: 10 })
    const count = beside.prepare(
      `SELECT count(*) FROM reply WHERE run_id = 'big' AND arm = 'lora' AND seed = 0 AND step = 40`,
    )
    for (const offset of [0, 99_000]) {
      const pages = timeOf((i) => store.pages.samples({ ...ALL, offset: offset + i, limit: 10 }))
      expect(pages).toBeLessThan(timeOf(() => count.get()))
    }
  })

  test('what the run says later is found', () => {
    const before = store.pages.samples({ ...ALL, search: 'late', offset: 0, limit: 10 })
    store.sink.event({
      runId: 'big',
      seq: 2,
      at: 3,
      type: 'reply',
      row: {
        arm: 'lora',
        seed: 0,
        step: 40,
        benchmark: 'made-up',
        sampleId: 'x',
        epoch: 0,
        ...{ category: 'third', expected: { kind: 'comply' }, prompt: 'late', promptDigest: 'd' },
        text: 't',
        tokens: 1,
        stop: 'stop',
        meanLogProb: -1,
        baseMeanLogProb: null,
      },
    } as never)
    const after = store.pages.samples({ ...ALL, search: 'late', offset: 0, limit: 10 })
    expect([before.total, after.total]).toEqual([0, 1])
    expect(store.pages.states('big').at(-1)!.categories).toEqual(['even', 'odd', 'third'])
    beside.exec(`DELETE FROM reply WHERE sample_id = 'x'; DELETE FROM facet WHERE value = 'third';`)
  })
})

describe('pairs', () => {
  test('flips come first, and only they where one asks', () => {
    const pairs = createPairs(() => store)
    const { total, flips, rows } = pairs({ ...PAIR, offset: 999, limit: 2 })
    expect([total, flips]).toEqual([N, 1000])
    expect(rows.map(({ sampleId, isFlip }) => [sampleId, isFlip])).toEqual([
      ['099900', true],
      ['000001', false],
    ])
    const only = pairs({ ...PAIR, onlyFlips: true, offset: 999, limit: 5 })
    expect([only.total, idsOf(only.rows)]).toEqual([1000, ['099900']])
    expect(only.rows[0]).toMatchObject({
      before: { outcome: 'correct', text: 'text 99900' },
      after: { outcome: 'incorrect', judges: [{ judge: 'exact', outcome: 'incorrect' }] },
    })
  })

  test('are filtered by category, prompt and the outcome after, without losing partners', () => {
    const pairs = createPairs(() => store)
    const found = (filter: Partial<typeof PAIR>) => {
      const { total, flips, unmatched } = pairs({ ...PAIR, ...filter, offset: 0, limit: 1 })
      return [total, flips, unmatched]
    }
    expect(found({ category: 'even' as never })).toEqual([N / 2, 1000, 0])
    expect(found({ category: 'odd' as never })).toEqual([N / 2, 0, 0])
    expect(found({ outcome: 'incorrect' as never })).toEqual([1000, 1000, 0])
    expect(found({ search: 'no such prompt' })).toEqual([0, 0, 0])
  })
})

test('the judges and categories of a state are known without a look at its replies', () => {
  const [base, tuned] = store.pages.states('big')
  expect(tuned).toMatchObject({ judges: ['exact'], categories: ['even', 'odd'], samples: N })
  expect(base).toMatchObject({ arm: 'base', judges: ['exact'], categories: ['even', 'odd'] })
  const scan = beside.prepare(`SELECT DISTINCT category FROM reply WHERE run_id = 'big'`)
  expect(timeOf(() => store.pages.states('big'))).toBeLessThan(timeOf(() => scan.all()))
})
