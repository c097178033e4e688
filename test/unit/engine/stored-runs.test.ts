/** @file Calls over a stored audit: pages, pairs, labels, comparison, gate, exports, notes; and that withheld replies never cross. */
import Database from 'better-sqlite3'
import { appendFileSync, existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, test } from 'vitest'
import { COMMANDS } from '../../../evals/cli/verbs/registry.ts'
import type { EngineClient } from '../../../evals/contract/api.ts'
import type { AuditRows } from '../../../evals/contract/audit-rows.ts'
import { rowsInContext } from '../../doubles/rows/context-rows.ts'
import { unlike } from '../../doubles/rows/unlike.ts'
import { PLANTED, smallAudit, storeAudit, STORED_RUN } from '../../doubles/runs/stored-audit.ts'
import { runCommand } from '../../doubles/runs/command-line.ts'
import {
  databaseOf,
  openWorkbench,
  type OpenWorkbench,
} from '../../doubles/engine/open-workbench.ts'

let workbench: OpenWorkbench
let engine: EngineClient
const runId = STORED_RUN
const base = { runId, arm: 'base', seed: 0, step: 0 }
const tuned = { runId, arm: 'lora', seed: 1, step: 40 }

/** Prompts that differ in a number alone depend on each other unless each is named as a cluster of its own. */
const independent = (rows: AuditRows): AuditRows => ({
  ...rows,
  replies: rows.replies.map((row) => ({ ...row, cluster: row.sampleId })),
})

beforeAll(() => {
  workbench = openWorkbench(storeAudit(independent(smallAudit())))
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
    expect((await of({ search: 'Question 1:' })).total).toBe(1)
    expect((await of({ search: '%' })).total).toBe(0)
    expect((await of({ search: "' OR 1=1 --" })).total).toBe(0)
  })

  test('pairs come with their flips first', async () => {
    const asked = { before: base, after: tuned, benchmarks: ['house-refusal'], judge: 'house' }
    const { rows, flips, total } = await engine.pair.page(asked)
    expect(rows.map(({ isFlip }) => isFlip)).toEqual(
      Array.from({ length: total }, (_, i) => i < flips),
    )
    expect(flips).toBe(10)
    const only = await engine.pair.page({ ...asked, onlyFlips: true })
    expect(only.total).toBe(10)
  })
})

test('the same prompts in several contexts are paired each with its own, flips of all first', async () => {
  const folder = storeAudit(rowsInContext())
  const apart = openWorkbench(folder)
  const states = await apart.client.sample.states({ runId })
  expect(states.map(({ context }) => context?.title ?? '')).toContain('at night')
  const asked = {
    before: base,
    after: { ...base, arm: 'lora', step: 10 },
    judge: 'house',
    limit: 200,
  }
  const page = (...benchmarks: string[]) => apart.client.pair.page({ ...asked, benchmarks })
  const [plain, night] = [await page('house-refusal'), await page('house-refusal@night')]
  expect([plain.flips, night.flips]).toEqual([0, 60])
  const both = await page('house-refusal', 'house-refusal@night')
  expect(both).toMatchObject({ total: plain.total + night.total, flips: 60, unmatched: 0 })
  expect(both.rows.map(({ isFlip }) => isFlip)).toEqual(both.rows.map((_, i) => i < 60))
  expect(new Set(both.rows.slice(0, 60).map(({ benchmark }) => benchmark))).toEqual(
    new Set(['house-refusal@night']),
  )
  await apart.engine.close()
})

test('two runs of two folders are paired as two states of one are; a prompt in other words is no partner', async () => {
  const folder = storeAudit()
  const rows = smallAudit()
  const isReworded = ({ sampleId, benchmark }: { sampleId: string; benchmark: string }) =>
    sampleId === rows.replies[0]!.sampleId && benchmark === 'house-refusal'
  const other = { ...rows, run: { ...rows.run, id: 'run-2' } }
  storeAudit(other, join(folder, 'same'))
  const replies = rows.replies.map((row) => (isReworded(row) ? { ...row, prompt: 'new' } : row))
  storeAudit({ ...other, run: { ...rows.run, id: 'run-3' }, replies }, join(folder, 'reworded'))
  const apart = openWorkbench(folder)
  const page = (after: string) =>
    apart.client.pair.page({
      before: base,
      after: { ...tuned, runId: after },
      benchmarks: ['house-refusal'],
      judge: 'house',
    })
  const one = await page(runId)
  expect(one).toMatchObject({ total: 14, unmatched: 0, flips: 10 })
  expect(await page('run-2')).toEqual(one)
  expect(await page('run-3')).toMatchObject({ total: 13, unmatched: 2 })
  await apart.engine.close()
})

describe('people', () => {
  test('label blind, in an order of their own, and their last word counts', async () => {
    await engine.label.draw({ runId, count: 6, benchmark: 'house-capability' })
    const queue = (rater: string) => engine.label.queue({ runId, rater })
    const first = await queue('ada')
    expect(Object.keys(first.tasks[0]!).sort()).toEqual([
      ...['item', 'others', 'prompt', 'reply', 'said'],
    ])
    expect(first.tasks[0]!.others).toEqual([])
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

  test('settle what they called differently, each in turn, and agree no better for it', async () => {
    const open = (rater: string) => engine.label.queue({ runId, rater, onlyConflicts: true })
    const [task] = (await open('ada')).tasks
    expect(await open('ada')).toMatchObject({ total: 1, left: 1 })
    expect(task).toMatchObject({ said: 'correct', others: ['incorrect'] })
    const before = await engine.label.summary({ runId })
    expect(before.tied).toBe(1)
    const settled = { item: task!.item, outcome: 'correct', isSettling: true } as const
    await engine.label.save({ runId, rater: 'bo', ...settled })
    expect(await open('bo')).toMatchObject({ total: 1, left: 0 })
    expect((await open('ada')).tasks[0]).toMatchObject({ said: 'correct', others: ['correct'] })
    expect(await open('ada')).toMatchObject({ total: 1, left: 1 })
    const after = await engine.label.summary({ runId })
    expect(after.tied).toBe(0)
    expect(after.kappas).toEqual(before.kappas)
    expect(after.kappas[0]).toMatchObject({ n: 1, agreed: 0 })
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
    expect(await codeOf(engine.run.purge({ runId }))).toBe('run.not-deleted')
    await engine.run.delete({ runId })
    expect(await engine.run.list()).toEqual([])
    expect(await engine.run.list({ isDeleted: true })).toHaveLength(1)
    await engine.run.restore({ runId })
    expect(await engine.run.list()).toHaveLength(1)
  })

  test('have a summary that is made when it is asked for, and kept', async () => {
    const made = await engine.run.summary({ runId })
    expect(made!.rates.length).toBeGreaterThan(5)
    expect((await engine.run.list())[0]!.summary).toEqual(made)
  })

  test('are listed without reading a reply, however many there are', async () => {
    const folder = storeAudit()
    const other = openWorkbench(folder)
    const { run } = other.client
    const listed = await run.list()
    expect(listed[0]).toMatchObject({ isMeasured: true, summary: null })
    // What is not there cannot be read.
    const database = new Database(databaseOf(folder))
    for (const table of ['reply', 'verdict', 'metric', 'spectrum', 'facet']) {
      database.exec(`DROP TABLE ${table}`)
    }
    database.close()
    expect(await run.list()).toEqual(listed)
    expect(await codeOf(run.summary({ runId }))).not.toBe('answered')
    await other.engine.close()
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

  test('a case of one is found by its files and checked as the command line does', async () => {
    const made = async () => {
      const { files } = await engine.run.export({ runId, what: 'case' })
      return files[0]!.path
    }
    const older = await made()
    expect(await engine.file.look({ path: older })).toMatchObject({ kind: 'folder', hint: 'case' })
    const { sentences, ...checked } = await engine.signed.verify({ folder: older })
    expect(checked).toMatchObject({ run: runId, number: 1, isKeyKnown: false, plan: null })
    expect(`${sentences.join('\n')}\n`).toBe(
      (await runCommand(['verify', older], {}, COMMANDS)).stdout,
    )
    const newer = await made()
    expect(await codeOf(engine.signed.verify({ folder: older }))).toBe('case.older')
    appendFileSync(join(newer, 'report.html'), ' ')
    expect(await codeOf(engine.signed.verify({ folder: newer }))).toBe('case.changed')
    expect(await codeOf(engine.file.look({ path: join(newer, 'gone') }))).toBe('file.unreadable')
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
      benchmarks: ['house-refusal'],
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
    (['report', 'results', 'csv', 'junit', 'fact-sheet', 'oscal', 'model-card'] as const).map(
      (what) => engine.run.export({ runId, what }),
    ),
  )
  for (const file of [path, ...exported.flatMap(({ files }) => files.map((each) => each.path))]) {
    expect(existsSync(file), file).toBe(true)
    expect(readFileSync(file).includes('zzplanted'), file).toBe(false)
  }
})

test('a bug report holds no prompt, no reply, no path and no word of the user’s', async () => {
  const text = readFileSync((await engine.house.bugReport()).path, 'utf8')
  const database = readFileSync(join(workbench.folder, 'touchstone.db'), 'utf8')
  expect(database, 'what is looked for is there').toContain(unlike(1, 5))
  for (const word of [workbench.folder, unlike(1, 5), 'Mine', 'I cannot']) {
    expect(text, word).not.toContain(word)
  }
  expect(JSON.parse(text)).toMatchObject({ runs: [{ kind: 'audit', outcome: 'done' }] })
})
