/** @file Calls over a stored audit: pages, pairs, labels, comparison, gate, exports, notes; and that withheld replies never cross. */
import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import type { EngineClient } from '../../../evals/contract/api.ts'
import { PLANTED, storeAudit, STORED_RUN } from '../../doubles/stored-audit.ts'
import { openWorkbench, type OpenWorkbench } from '../../doubles/open-workbench.ts'

let workbench: OpenWorkbench
let engine: EngineClient
const runId = STORED_RUN
const base = { runId, arm: 'base', seed: 0, step: 0 }
const tuned = { runId, arm: 'lora', seed: 1, step: 40 }

beforeAll(() => {
  workbench = openWorkbench(storeAudit())
  engine = workbench.client
})
afterAll(() => workbench.engine.close())

const codeOf = (call: Promise<unknown>) =>
  call.then(
    () => 'answered',
    (error: { code: string }) => error.code,
  )

describe('replies', () => {
  test('are paged in one order, without gaps or repeats', async () => {
    const page = (offset: number) => engine.sample.page({ ...tuned, offset, limit: 10 })
    const pages = await Promise.all([0, 10, 20, 30].map(page))
    const ids = pages.flatMap(({ rows }) => rows.map((row) => `${row.benchmark} ${row.sampleId}`))
    expect(pages.map(({ total }) => total)).toEqual([36, 36, 36, 36])
    expect(new Set(ids).size).toBe(36)
    expect(ids).toEqual(ids.toSorted())
  })

  test('are filtered by outcome, judge, and text that is taken as it stands', async () => {
    const of = (fields: object) =>
      engine.sample.page({ ...tuned, benchmark: 'house-refusal', ...fields })
    const refused = await of({ outcome: 'refusal', judge: 'house' })
    expect(refused.total).toBeGreaterThan(0)
    expect(
      refused.rows.every(({ outcomes }) =>
        outcomes.some(({ judge, outcome }) => judge === 'house' && outcome === 'refusal'),
      ),
    ).toBe(true)
    expect((await of({ search: 'number 1?' })).total).toBe(1)
    expect((await of({ search: '%' })).total).toBe(0)
    expect((await of({ search: "' OR 1=1 --" })).total).toBe(0)
  })

  test('pairs come with their flips first', async () => {
    const asked = { before: base, after: tuned, benchmark: 'house-refusal', judge: 'house' }
    const { rows, flips, total } = await engine.pair.page(asked)
    expect(rows.map(({ isFlip }) => isFlip)).toEqual(
      Array.from({ length: total }, (_, i) => i < flips),
    )
    expect(flips).toBe(10)
    const only = await engine.pair.page({ ...asked, onlyFlips: true })
    expect(only.total).toBe(10)
  })
})

describe('people', () => {
  test('label blind, in an order of their own, and their last word counts', async () => {
    await engine.label.draw({ runId, count: 6, benchmark: 'house-capability' })
    const queue = (rater: string) => engine.label.queue({ runId, rater })
    const first = await queue('ada')
    expect(Object.keys(first.tasks[0]!).sort()).toEqual(['item', 'prompt', 'reply', 'said'])
    expect(first).toMatchObject({ total: 6, left: 6 })
    const order = ({ tasks }: typeof first) => tasks.map(({ item }) => item)
    expect(order(await queue('bo'))).not.toEqual(order(first))
    expect(order(await queue('bo')).sort()).toEqual(order(first).sort())
    const [item] = order(first)
    await engine.label.save({ runId, rater: 'ada', item: item!, outcome: 'incorrect' })
    await engine.label.save({ runId, rater: 'ada', item: item!, outcome: 'correct' })
    await engine.label.save({ runId, rater: 'bo', item: item!, outcome: 'incorrect' })
    const after = await queue('ada')
    expect(after).toMatchObject({ total: 6, left: 5 })
    expect(after.tasks.at(-1)).toMatchObject({ item, said: 'correct' })
    const conflicts = await engine.label.queue({ runId, rater: 'ada', onlyConflicts: true })
    expect(conflicts.tasks.map((task) => task.item)).toEqual([item])
    expect((await engine.label.summary({ runId })).raters).toEqual(['ada', 'bo'])
  })

  test('cannot label what was not drawn', async () => {
    const save = engine.label.save({ runId, rater: 'ada', item: 'none', outcome: 'correct' })
    expect(await codeOf(save)).toBe('labels.nothing')
  })
})

describe('runs', () => {
  test('are listed with their rates, named, deleted, restored, and removed only when deleted', async () => {
    await engine.run.annotate({ runId, name: 'Mine', tags: ['baseline'] })
    await engine.run.annotate({ runId, note: 'as before' })
    const [entry] = await engine.run.list()
    expect(entry).toMatchObject({ runId, name: 'Mine', note: 'as before', tags: ['baseline'] })
    expect(entry!.summary!.rates.length).toBeGreaterThan(5)
    expect(await codeOf(engine.run.purge({ runId }))).toBe('run.not-deleted')
    await engine.run.delete({ runId })
    expect(await engine.run.list()).toEqual([])
    expect(await engine.run.list({ isDeleted: true })).toHaveLength(1)
    await engine.run.restore({ runId })
    expect(await engine.run.list()).toHaveLength(1)
  })

  test('are compared, held against a gate, and what is unknown is told', async () => {
    const pair = { before: { runId, arm: 'base' }, after: { runId, arm: 'lora' } }
    const gate = { benchmarks: { 'house-refusal': { margin: 0.05 } } }
    const compared = await engine.run.compare({ ...pair, gate })
    expect(compared.gate!.outcome).toBe('FAIL')
    expect(compared.pairs.map(({ after }) => after.seed)).toEqual([1, 2])
    expect((await engine.run.gate({ runId, gate })).outcome).toBe('FAIL')
    expect(await codeOf(engine.run.gate({ runId, gate: { benchmarks: {} } }))).toBe('gate.unusable')
    expect(await codeOf(engine.run.results({ runId: '../../etc' }))).toBe('run.not-found')
  })

  test('a copy of the database is whole, and nothing is written over', async () => {
    const path = join(workbench.folder, 'copies', 'one')
    const { bytes } = await engine.house.backup({ path })
    expect(bytes).toBeGreaterThan(10_000)
    expect(await codeOf(engine.house.backup({ path }))).toBe('output.unwritable')
    const copy = openWorkbench(path)
    expect((await copy.client.run.list())[0]).toMatchObject({ runId, name: 'Mine' })
    await copy.engine.close()
  })
})

test('replies to prompts that should be refused are in no answer and no file that is written for others', async () => {
  const answers = [
    await engine.sample.page({ ...tuned, limit: 500 }),
    await engine.pair.page({
      before: base,
      after: tuned,
      benchmark: 'house-refusal',
      judge: 'house',
    }),
    await engine.run.results({ runId }),
    await engine.run.compare({ before: { runId, arm: 'base' }, after: { runId, arm: 'lora' } }),
    await engine.job.events({ runId, limit: 10_000 }),
    await engine.label.draw({ runId, count: 1000 }),
    await engine.label.queue({ runId, rater: 'cy', limit: 500 }),
    await engine.sql.query({ sql: 'SELECT * FROM reply', limit: 5000 }),
    await engine.sql.query({ sql: 'SELECT * FROM event', limit: 5000 }),
    await engine.sql.tables(),
    await engine.run.list(),
  ]
  expect(JSON.stringify(answers)).not.toContain('zzplanted')
  // What is looked for is there to be found.
  expect(readFileSync(join(workbench.folder, 'touchstone.db')).includes(PLANTED)).toBe(true)
  const { path } = await engine.house.bugReport()
  const exported = await Promise.all(
    (['report', 'results', 'csv', 'junit'] as const).map((what) =>
      engine.run.export({ runId, what }),
    ),
  )
  for (const file of [path, ...exported.flatMap(({ files }) => files.map((each) => each.path))]) {
    expect(existsSync(file), file).toBe(true)
    expect(readFileSync(file).includes('zzplanted'), file).toBe(false)
  }
})

test('a bug report holds no prompt, no reply, no path and no word of the user’s', async () => {
  const text = readFileSync((await engine.house.bugReport()).path, 'utf8')
  for (const word of [workbench.folder, 'A question about the hotel', 'Mine', 'I cannot']) {
    expect(text, word).not.toContain(word)
  }
  expect(JSON.parse(text)).toMatchObject({ runs: [{ kind: 'audit', outcome: 'done' }] })
})
