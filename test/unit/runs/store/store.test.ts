/** @file The database against bad files, full batches, other programs and older selves. */
import Database from 'better-sqlite3'
import { existsSync, mkdtempSync, readFileSync, truncateSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import type { JobEvent } from '../../../../evals/contract/events.ts'
import { migrate, MIGRATIONS } from '../../../../evals/runs/store/migrations.ts'
import { openStore } from '../../../../evals/runs/store/store.ts'
import { EXAMPLES, engine, logOf, variant } from '../../../doubles/rows/job-events.ts'
import { IS_LONG } from '../../../doubles/tier.ts'

const fresh = () => join(mkdtempSync(join(tmpdir(), 'touchstone-store-')), 'touchstone.db')

function count(path: string, table: string): number {
  const database = new Database(path, { readonly: true })
  const row = database.prepare(`SELECT count(*) AS n FROM ${table}`).get() as { n: number }
  database.close()
  return row.n
}

function storeOf(events: readonly JobEvent[], path = fresh()) {
  const store = openStore(path)
  events.forEach((event) => store.sink.event(event))
  return { store, path }
}

describe('reading', () => {
  const all = logOf(Object.values(EXAMPLES))

  test('every row comes back as it was told', () => {
    const { store } = storeOf(all)
    const rows = store.rows('run-1')
    expect(rows.benchmarks).toEqual([EXAMPLES.benchmark.row])
    expect(rows.subjects).toEqual([EXAMPLES.subject.row])
    expect(rows.replies).toEqual([EXAMPLES.reply.row])
    expect(rows.verdicts).toEqual([EXAMPLES.verdict.row])
    expect(rows.metrics).toEqual([EXAMPLES.metric.row])
    expect(rows.spectra).toEqual([EXAMPLES.spectrum.row])
    expect(rows.artifacts).toEqual([EXAMPLES.artifact.row])
    const { subject, path, digest } = EXAMPLES.checkpoint
    expect(rows.checkpoints).toEqual([{ ...subject, path, digest }])
    expect(rows.evaluations).toEqual(store.finishedEvaluations('run-1'))
    expect(rows.evaluations).toEqual([
      { ...subject, benchmark: 'house-refusal', samples: 1, context: null },
    ])
  })

  test('the run says how it went, and a resume takes that back', () => {
    const failed = { code: 'x.y', message: 'Bad.', remedy: 'Mend it.' }
    const { store } = storeOf(
      logOf([EXAMPLES['job-start'], { type: 'job-end', outcome: 'failed', error: failed }]),
    )
    expect(store.run('run-1')).toMatchObject({ outcome: 'failed', error: failed, engine })
    store.sink.event(logOf([EXAMPLES['job-resume']], 'run-1', 2)[0]!)
    expect(store.run('run-1')).toMatchObject({
      outcome: null,
      error: null,
      endedAt: null,
      engine: { threads: 4 },
    })
    expect(store.lastSeq('run-1')).toBe(3)
  })

  test('runs do not see each other’s rows', () => {
    const { store } = storeOf([...all, ...logOf([EXAMPLES['job-start']], 'run-2')])
    expect(store.runs().map(({ id }) => id)).toEqual(['run-1', 'run-2'])
    expect(store.rows('run-2').replies).toEqual([])
    expect(store.lastSeq('run-3')).toBe(0)
    expect(() => store.rows('run-3')).toThrow(expect.objectContaining({ code: 'run.not-found' }))
  })

  test('a row that is told again with other values is the later one, in every field', () => {
    const rows = Object.values(EXAMPLES).flatMap((body) => ('row' in body ? [body] : []))
    const keys = [
      'arm',
      'seed',
      'step',
      'name',
      'benchmark',
      'sampleId',
      'epoch',
      'judge',
      'repeat',
    ]
    const isKey = (field: string) =>
      [...keys, 'layer', 'module', 'role', 'path', 'position'].includes(field)
    const changed = (field: string, value: unknown): unknown => {
      if (isKey(field)) return value
      if (field === 'score') return 0.5
      if (typeof value === 'number') return value + 1
      if (typeof value === 'string') return `${value}!`
      if (Array.isArray(value)) return value.toReversed()
      return value ?? `${field}, now known`
    }
    const later = rows.map((body) => {
      const row = Object.entries(body.row).map(([key, value]) => [key, changed(key, value)])
      return { ...body, row: Object.fromEntries(row) as unknown } as typeof body
    })
    const bodies = [EXAMPLES['job-start'], ...rows, ...later]
    const { store } = storeOf(logOf(bodies))
    const { benchmarks, subjects, metrics, replies, verdicts, ...more } = store.rows('run-1')
    const { spectra, artifacts, repeats, cells } = more
    const found = [
      ...[benchmarks, subjects, metrics, replies, verdicts, repeats!].flat(),
      ...[spectra, artifacts, cells!].flat(),
    ]
    expect(found).toEqual(later.map(({ row }) => row))
  })

  test('an old event that is told again does not undo a later one', () => {
    const metric = (value: number) => ({
      ...EXAMPLES.metric,
      row: { ...EXAMPLES.metric.row, value },
    })
    const log = logOf([EXAMPLES['job-start'], metric(1), metric(2)])
    const { store } = storeOf([...log, log[1]!])
    expect(store.rows('run-1').metrics.map(({ value }) => value)).toEqual([2])
    expect(store.events('run-1')).toEqual(log)
  })

  test('sealed replies come from one call only', () => {
    const { store } = storeOf(logOf([EXAMPLES['job-start'], EXAMPLES.reply]))
    const { arm, seed, step, benchmark, sampleId, epoch } = EXAMPLES.reply.row
    const row = { arm, seed, step, benchmark, sampleId, epoch, text: 'placeholder' }
    store.sink.seal(row)
    expect(store.sealed('run-1')).toEqual([row])
    expect(JSON.stringify([store.rows('run-1'), store.events('run-1')])).not.toContain(row.text)
  })

  test('numbers keep every bit, and a number that is none is refused', () => {
    const values = [Number.MIN_VALUE, Number.MAX_VALUE, 0.1 + 0.2, -1 / 3]
    const { store } = storeOf(
      logOf([
        EXAMPLES['job-start'],
        ...values.map((value, step) => ({
          type: 'metric' as const,
          row: { ...EXAMPLES.metric.row, step, value },
        })),
      ]),
    )
    expect(store.rows('run-1').metrics.map(({ value }) => value)).toEqual(values)
    const row = { ...EXAMPLES.metric.row, value: Number.NaN }
    store.sink.event(logOf([{ type: 'metric', row }], 'run-1', 9)[0]!)
    expect(() => store.sink.flush()).toThrow(/NOT NULL/)
  })
})

describe('batches', () => {
  test('are committed at 256 events', () => {
    const rows = Array.from({ length: 256 }, (_, n) => variant('metric', n))
    const log = logOf([EXAMPLES['job-start'], ...rows])
    const { store, path } = storeOf(log.slice(0, -1))
    expect(count(path, 'event')).toBe(1)
    store.sink.event(log.at(-1)!)
    expect(count(path, 'event')).toBe(257)
  })

  test('are written ahead: who reads sees what is committed, and nobody waits', () => {
    const { store, path } = storeOf([])
    const reader = new Database(path, { readonly: true })
    expect(reader.pragma('journal_mode', { simple: true })).toBe('wal')
    const runs = () => reader.prepare('SELECT count(*) AS n FROM run').get()
    reader.exec('BEGIN')
    expect(runs()).toEqual({ n: 0 })
    for (const event of logOf([EXAMPLES['job-start']])) store.sink.event(event)
    expect(runs()).toEqual({ n: 0 })
    reader.exec('COMMIT')
    expect(runs()).toEqual({ n: 1 })
    reader.close()
    store.close()
  })

  test.each(['evaluation-end', 'checkpoint', 'artifact', 'job-end'] as const)(
    'are committed at %s',
    (type) => {
      const { path } = storeOf(logOf([EXAMPLES['job-start'], EXAMPLES.metric, EXAMPLES[type]]))
      expect(count(path, 'metric')).toBe(1)
    },
  )

  test('what was pending is committed by close, and closing twice is no error', () => {
    const { store, path } = storeOf(logOf([EXAMPLES['job-start'], EXAMPLES.metric]))
    expect(count(path, 'metric')).toBe(0)
    store.close()
    store.close()
    expect(count(path, 'metric')).toBe(1)
  })
})

describe('files that are not ours', () => {
  const unreadable = expect.objectContaining({ code: 'store.unreadable' }) as Error

  test.each([
    ['text', Buffer.from('this is not a database, it is a letter\n'.repeat(200))],
    ['random bytes', Buffer.from(Array.from({ length: 9000 }, (_, n) => (n * 7919) % 251))],
    ['a header and nothing else', Buffer.from(`SQLite format 3\0${'\0'.repeat(84)}`)],
  ])('%s is refused and left as it was', (_, bytes) => {
    const path = fresh()
    writeFileSync(path, bytes)
    expect(() => openStore(path)).toThrow(unreadable)
    expect(readFileSync(path)).toEqual(bytes)
  })

  test('a truncated database is refused', () => {
    const rows = Array.from({ length: 500 }, (_, n) => variant('reply', n))
    const { store, path } = storeOf(logOf([EXAMPLES['job-start'], ...rows]))
    store.close()
    truncateSync(path, readFileSync(path).length - 8192)
    expect(() => openStore(path)).toThrow(unreadable)
  })

  test('a folder is refused', () => {
    expect(() => openStore(mkdtempSync(join(tmpdir(), 'touchstone-store-')))).toThrow(unreadable)
  })

  test('the database of another program is refused and left as it was', () => {
    const path = fresh()
    const other = new Database(path)
    other.exec('CREATE TABLE bookmark (url TEXT)')
    other.close()
    expect(() => openStore(path)).toThrow(unreadable)
    expect(count(path, 'bookmark')).toBe(0)
    expect(() => count(path, 'run')).toThrow(/no such table/)
  })

  // It waits five seconds before it says so.
  test.runIf(IS_LONG)('a database that is being written by another process asks to wait', () => {
    const { store, path } = storeOf(logOf([EXAMPLES['job-start']]))
    const other = new Database(path)
    other.exec('BEGIN IMMEDIATE')
    store.sink.event(logOf([EXAMPLES.metric], 'run-1', 1)[0]!)
    expect(() => store.sink.flush()).toThrow(expect.objectContaining({ code: 'store.busy' }))
    other.exec('ROLLBACK')
    store.sink.flush()
    expect(count(path, 'metric')).toBe(1)
  })
})

describe('migrations', () => {
  test('a newer file is refused and left as it was', () => {
    const { store, path } = storeOf(logOf([EXAMPLES['job-start']]))
    store.close()
    const database = new Database(path)
    database.pragma(`user_version = ${MIGRATIONS.length + 1}`)
    database.close()
    expect(() => openStore(path)).toThrow(
      expect.objectContaining({
        code: 'store.newer',
        message: expect.stringContaining(`schema ${MIGRATIONS.length + 1}`) as string,
      }),
    )
    expect(count(path, 'run')).toBe(1)
  })

  test('an older file is copied, then brought forward', () => {
    const { store, path } = storeOf(logOf([EXAMPLES['job-start']]))
    store.close()
    const database = new Database(path)
    migrate(database, path, [...MIGRATIONS, 'ALTER TABLE run ADD COLUMN note TEXT'])
    expect(database.pragma('user_version', { simple: true })).toBe(MIGRATIONS.length + 1)
    expect(database.prepare('SELECT note FROM run').all()).toEqual([{ note: null }])
    database.close()
    const copy = `${path}.schema-${MIGRATIONS.length}.bak`
    expect(openStore(copy).runs()).toHaveLength(1)
  })

  test('replies of a version that did not ask the base have no number of it', () => {
    const path = join(mkdtempSync(join(tmpdir(), 'touchstone-old-')), 'touchstone.db')
    const database = new Database(path)
    const asked = MIGRATIONS.findIndex((step) => String(step).includes('base_mean_log_prob'))
    migrate(database, path, MIGRATIONS.slice(0, asked))
    database.exec(`INSERT INTO run (id, kind, title, command, config_json, engine_json, started_at)
      VALUES ('old', 'audit', '', '', '{}', '{}', 0);
      INSERT INTO reply VALUES ('old', 'base', 0, 0, 'hotel', '1', 0, '', '{"kind":"comply"}', '', '', 'Yes.', 2, 'end', -0.5)`)
    database.close()
    const store = openStore(path)
    expect(store.rows('old').replies).toMatchObject([{ meanLogProb: -0.5, baseMeanLogProb: null }])
    store.close()
  })

  test('one that fails half way leaves the file as it was', () => {
    const { store, path } = storeOf(logOf([EXAMPLES['job-start']]))
    store.close()
    const database = new Database(path)
    const broken = 'ALTER TABLE run ADD COLUMN note TEXT; SELECT no_such_column FROM run'
    expect(() => migrate(database, path, [...MIGRATIONS, broken])).toThrow(/no_such_column/)
    database.close()
    expect(openStore(path).runs()).toHaveLength(1)
    expect(existsSync(`${path}.schema-${MIGRATIONS.length}.bak`)).toBe(true)
  })
})
