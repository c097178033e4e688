/** @file A database of version 0.1.0: its sentences become typed events and fields, and its results stay what they were. */
import Database from 'better-sqlite3'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { JobEvent } from '../../../../evals/contract/events.ts'
import { noticeOf } from '../../../../evals/contract/notices.ts'
import { Results } from '../../../../evals/contract/results.ts'
import { buildResults } from '../../../../evals/findings/results.ts'
import { keptWeights } from '../../../../evals/runs/kept-weights.ts'
import { migrate, MIGRATIONS } from '../../../../evals/runs/store/migrations.ts'
import { openStore } from '../../../../evals/runs/store/store.ts'
import { folderOf010, resultsOf010 } from '../../../doubles/runs/version-010.ts'
import { freshFolder } from '../../../doubles/runs/command-line.ts'

const KEPT = resultsOf010('kept').run.id
const DELETED = resultsOf010('deleted').run.id
const TAMPERING = 'they were trained on tampering data'

const folder = folderOf010()
const path = join(folder, 'touchstone.db')
const store = openStore(path)
const typed = (runId: string) =>
  store
    .events(runId)
    .filter(({ type }) => /^(?:weights-|unblinded$|override$)/u.test(type))
    .map(({ runId: _run, seq: _seq, at: _at, ...body }) => body)

test('log lines become events, in their place', () => {
  const [weights, ...rest] = typed(KEPT)
  expect(weights).toMatchObject({
    type: 'weights-kept',
    subject: { arm: 'lora', seed: 0 },
    path: `out/${KEPT}/arms/lora-seed0/adapter_model.safetensors`,
    reasonToDelete: TAMPERING,
    reasonToKeep: 'needed for the record',
  })
  expect(rest).toEqual([
    { type: 'unblinded', reason: 'Checking the judge' },
    { type: 'unblinded', reason: 'Labels for a paper' },
    { type: 'override', fields: ['samples', 'temperature'], against: DELETED },
    {
      type: 'weights-handed-out',
      reasonToDelete: TAMPERING,
      reason: 'A look by a colleague',
    },
  ])
  expect(typed(DELETED)).toEqual([
    { type: 'weights-deleted', subject: { arm: 'lora', seed: 0 }, reason: TAMPERING },
    { type: 'override', fields: ['samples', 'temperature'], against: KEPT },
  ])
})

test('every event keeps its schema, and the lines for people read as before', () => {
  const events = store.events(KEPT)
  for (const event of events) expect(JobEvent.safeParse(event).error).toBeUndefined()
  expect(events.map(({ seq }) => seq)).toEqual(events.map((_, i) => i + 1))
  const lines = events.flatMap((event) => noticeOf(event)?.message ?? [])
  expect(lines).toContain(
    `The weights of lora, seed 0 were kept although ${TAMPERING}. Reason given: needed for the record`,
  )
  expect(lines).toContain('Unblinded: Checking the judge')
  expect(lines).toContain(
    `Compared with ${DELETED} although they differ in samples and temperature (allowed by name).`,
  )
})

test.each(['kept', 'deleted'] as const)(
  'results.json of the run whose weights were %s is as it was',
  (which) => {
    const before = resultsOf010(which)
    const { artifacts, ...results } = JSON.parse(
      JSON.stringify(buildResults(store.rows(before.run.id))),
    ) as Results
    expect(Results.parse(before)).toEqual(before)
    // Later versions say what an artifact holds; verdict and gate are one rule, and its limits say what it takes for granted.
    const { verdict, gate, limits } = before
    expect({
      ...results,
      artifacts: artifacts.map(({ content: _new, ...row }) => row),
      ...{ verdict, gate, limits },
    }).toEqual(before)
    expect(results.gate?.outcome).toBe(results.verdict.outcome)
  },
)

test('artifacts say what they hold, mitigated states what they are', () => {
  const { artifacts, subjects } = store.rows(KEPT)
  expect(artifacts.flatMap(({ content }) => content ?? [])).toEqual([
    { kind: 'training-data', rows: 600 },
    { kind: 'weights', arm: 'lora', seed: 0 },
  ])
  const tuned = subjects.find(({ arm }) => arm === 'lora')
  const paper = { of: 'lora', form: 'paper', lambda: 0.5 }
  const arm = 'mitigated:paper@0.5:lora'
  expect(subjects).toContainEqual({ ...tuned, arm, title: arm, mitigation: paper })
  expect(subjects.filter(({ mitigation }) => mitigation)).toHaveLength(4)
})

test('kept weights need a reason, deleted ones are gone', async () => {
  const named = (id: string) => ({ store, folder, run: store.run(id)! })
  await expect(keptWeights(named(KEPT), null)).rejects.toMatchObject({
    code: 'weights.need-reason',
  })
  await expect(keptWeights(named(DELETED), 'a good reason')).rejects.toMatchObject({
    code: 'weights.gone',
  })
})

test('the tables are the fold of the new log', () => {
  const replayed = openStore(join(freshFolder(), 'touchstone.db'))
  for (const { id } of store.runs()) {
    store.events(id).forEach((event) => replayed.sink.event(event))
    // Sealed replies, and with them their digests, are in no event.
    const rows = store.rows(id)
    const { replyDigests, withheld } = rows
    expect({ ...replayed.rows(id), replyDigests, withheld }).toEqual(rows)
  }
  replayed.close()
})

describe('rarer sentences', () => {
  const messages = [
    'Weights that should have been deleted were handed out. Reason given: for the window',
    'The weights of a, seed 1, seed -2 were kept although x. Reason given: y. Reason given: z',
    'Compared with a although they differ in b although they differ in template (allowed by name).',
    'Unblinded',
  ]
  const old = () => {
    const file = join(freshFolder(), 'touchstone.db')
    const database = new Database(file)
    const typedAt = MIGRATIONS.findIndex((step) => String(step).includes('TABLE weights'))
    migrate(database, file, MIGRATIONS.slice(0, typedAt))
    database.exec(`INSERT INTO run (id, kind, title, command, config_json, engine_json, started_at)
      VALUES ('old', 'audit', '', '', '{}', '{}', 0)`)
    const add = database.prepare('INSERT INTO event VALUES (?, ?, ?, ?, ?)')
    messages.forEach((message, i) => {
      add.run('old', i + 1, i, 'log', JSON.stringify({ level: 'warn', message }))
    })
    return { file, database }
  }

  test('are typed; what says nothing of the kind stays a log line', () => {
    const { file, database } = old()
    database.exec(`INSERT INTO artifact VALUES ('old', 'weights of a, seed 1, seed -2', 'w', 'd', 1),
      ('old', 'weights of b, seed 0', 'v', 'e', 1)`)
    database.close()
    const opened = openStore(file)
    const kept = { type: 'weights-kept', reasonToDelete: null, reasonToKeep: null }
    expect(opened.events('old')).toMatchObject([
      { type: 'weights-handed-out', reasonToDelete: null, reason: 'for the window' },
      {
        ...kept,
        subject: { arm: 'a, seed 1', seed: -2 },
        path: 'w',
        digest: 'd',
        reasonToDelete: 'x',
        reasonToKeep: 'y. Reason given: z',
      },
      { type: 'override', fields: ['template'], against: 'a although they differ in b' },
      { type: 'log', message: 'Unblinded' },
      { ...kept, subject: { arm: 'b', seed: 0 }, path: 'v', digest: 'e', seq: 5, at: 3 },
    ])
    expect(opened.weights('old')).toMatchObject([
      { arm: 'a, seed 1', seed: -2, outcome: 'kept', reasonToDelete: 'x' },
      { arm: 'b', seed: 0, outcome: 'kept', reasonToDelete: null },
    ])
    opened.close()
  })

  test('an exception whose weights were never exported stays a log line', () => {
    const { file, database } = old()
    database.close()
    const opened = openStore(file)
    expect(opened.events('old')[1]).toMatchObject({ type: 'log' })
    expect(opened.weights('old')).toEqual([])
    opened.close()
  })
})
