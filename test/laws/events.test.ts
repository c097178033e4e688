/** @file The law of the event log: it is all there is; the tables are its fold. */
import Database from 'better-sqlite3'
import { mkdtempSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, test } from 'vitest'
import { JobEvent, type JobEventBody } from '../../evals/contract/events.ts'
import { reduceJob, type JobState } from '../../evals/contract/job-state.ts'
import { openStore } from '../../evals/runs/store/store.ts'
import { EXAMPLES, logOf, variant } from '../doubles/rows/job-events.ts'
import { fc } from '../doubles/properties.ts'

const types = Object.keys(EXAMPLES) as JobEventBody['type'][]
const middle = types.filter((type) => type !== 'job-start')

function fresh(): string {
  return join(mkdtempSync(join(tmpdir(), 'touchstone-events-')), 'touchstone.db')
}

/** Every table but the sealed one, row by row in storage order. */
function dump(path: string): Record<string, unknown[]> {
  const database = new Database(path, { readonly: true })
  const tables = database
    .prepare(`SELECT name FROM sqlite_schema WHERE type = 'table' AND name <> 'sealed_reply'`)
    .all() as { name: string }[]
  const rows = tables.map(({ name }) => [name, database.prepare(`SELECT * FROM ${name}`).all()])
  database.close()
  return Object.fromEntries(rows) as Record<string, unknown[]>
}

function write(path: string, events: readonly JobEvent[]): void {
  const store = openStore(path)
  events.forEach((event) => store.sink.event(event))
  store.close()
}

/** Any log that a run, killed and resumed any number of times, could have left. */
const anyLog = fc
  .array(fc.tuple(fc.constantFrom(...middle), fc.integer({ min: 0, max: 3 })), { maxLength: 60 })
  .map((picks) => logOf([EXAMPLES['job-start'], ...picks.map(([type, n]) => variant(type, n))]))

describe.each(types)('%s', (type) => {
  test('survives JSON and its own schema', () => {
    const [event] = logOf([EXAMPLES[type]])
    expect(JobEvent.parse(JSON.parse(JSON.stringify(event)))).toEqual(event)
  })

  test('comes back from the store as it went in', () => {
    const log = logOf([EXAMPLES['job-start'], EXAMPLES[type]])
    const path = fresh()
    write(path, log)
    const store = openStore(path)
    expect(store.events('run-1')).toEqual(log)
    expect(store.events('run-1', 1)).toEqual(log.slice(1))
    store.close()
  })
})

test('a log replayed into an empty database gives the same database', () => {
  fc.assert(
    fc.property(anyLog, (log) => {
      const [first, second] = [fresh(), fresh()]
      write(first, log)
      const store = openStore(first)
      const told = store.events('run-1')
      store.close()
      write(second, told)
      expect(dump(second)).toEqual(dump(first))
      // Twice is the same as once.
      write(second, told)
      expect(dump(second)).toEqual(dump(first))
    }),
    { numRuns: 20 },
  )
})

test('rows told again after a resume change nothing but the log', () => {
  const rows = types.filter((type) => 'row' in EXAMPLES[type]).map((type) => EXAMPLES[type])
  const once = [EXAMPLES['job-start'], ...rows]
  const [first, second] = [fresh(), fresh()]
  write(first, logOf(once))
  write(second, logOf([...once, ...rows]))
  // The chain is of the log's events, so it is longer.
  const tablesOnce = { ...dump(first), event: [], chain: [] }
  const tablesTwice = { ...dump(second), event: [], chain: [] }
  expect(tablesTwice).toEqual(tablesOnce)
  // Facets are derived from replies and verdicts.
  expect(Object.values({ ...tablesOnce, facet: [] }).flat()).toHaveLength(rows.length + 1)
})

test('a bar that saw some events twice shows what one that saw each once shows', () => {
  const fold = (log: readonly JobEvent[]) =>
    log.reduce<JobState | undefined>((state, event) => reduceJob(state, event), undefined)
  fc.assert(
    fc.property(anyLog, fc.nat(), (log, cut) => {
      const from = cut % log.length
      expect(fold([...log, ...log.slice(from)])).toEqual(fold(log))
    }),
  )
})
