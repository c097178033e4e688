/**
 * @file Whether the rows of a run are those that its job wrote: the tables are what the log of events folds to, the log is what was
 * chained when it was written, and withheld replies have the sums that were taken of them. None of it is secret: it shows what
 * was changed by hand or by a damaged file, not what a forger who knows this file makes anew.
 */
import type { Database } from 'better-sqlite3'
import type { JobEvent } from '../../contract/events.ts'
import type { SealedReply } from '../../contract/rows.ts'
import { counted, listed } from '../../contract/words.ts'
import { sha256 } from '../../files/digest.ts'
import { prepared } from './prepared.ts'
import { project } from './project.ts'
import { snakeCase, TABLES, toValues, type Columns, type Table } from './tables.ts'

/** As it stands in the log. */
interface Logged {
  readonly seq: number
  readonly at: number
  readonly type: string
  readonly body_json: string
}

/** The sum of the log up to an event. */
const linked = (before: string, { seq, at, type, body_json: body }: Logged): string =>
  sha256(JSON.stringify([before, seq, at, type, body]))

interface Chain {
  readonly events: number
  readonly digest: string
}

const KNOWN = 'SELECT events, digest FROM chain WHERE run_id = ?'
const KEEP = `INSERT INTO chain (run_id, events, digest) VALUES (?, ?, ?)
  ON CONFLICT (run_id) DO UPDATE SET events = excluded.events, digest = excluded.digest`

/** Chains the events of one transaction. A run that an earlier version began has no chain. */
export function createChains(database: Database): {
  add(runId: string, event: Logged): void
  keep(): void
} {
  const open = new Map<string, Chain | undefined>()
  const knownOf = (runId: string) => prepared(database, KNOWN).get(runId) as Chain | undefined
  return {
    add(runId, event) {
      if (!open.has(runId)) open.set(runId, knownOf(runId))
      const known = open.get(runId) ?? (event.type === 'job-start' ? START : undefined)
      if (!known) return
      open.set(runId, { events: known.events + 1, digest: linked(known.digest, event) })
    },
    keep() {
      for (const [runId, chain] of open)
        if (chain) prepared(database, KEEP).run(runId, chain.events, chain.digest)
      open.clear()
    },
  }
}

const START: Chain = { events: 0, digest: '' }

/** Of a withheld reply with its place. */
export const sealSum = (runId: string, row: SealedReply): string =>
  sha256(JSON.stringify(toValues(TABLES.sealedReply, runId, row)))

/** A clause that says what was changed; undefined where nothing was. */
export function changesIn(database: Database, runId: string): string | undefined {
  const folded = new Map<string, Map<string, string>>()
  let [chain, config] = [START, undefined as string | undefined]
  const events = database
    .prepare('SELECT seq, at, type, body_json FROM event WHERE run_id = ? ORDER BY seq')
    .iterate(runId) as IterableIterator<Logged>
  for (const event of events) {
    chain = { events: chain.events + 1, digest: linked(chain.digest, event) }
    if (!FOLDED.has(event.type)) continue
    const body = JSON.parse(event.body_json) as JobEvent
    if (event.type === 'job-start')
      config = JSON.stringify((body as { config?: unknown }).config ?? null)
    project({ ...body, type: event.type } as JobEvent, (table, row) => {
      const values = toValues(table, runId, row)
      const rows = folded.get(table.name) ?? new Map<string, string>()
      folded.set(table.name, rows.set(keyIn(table, values), sha256(JSON.stringify(values))))
    })
  }
  const known = prepared(database, KNOWN).get(runId) as Chain | undefined
  const found = [
    ...(known && known.digest !== chain.digest ? ['the log of its events was changed'] : []),
    ...(!known && hasSums(database, runId) ? ['the sum over the log of its events is gone'] : []),
    ...(config === undefined || config === configOf(database, runId)
      ? []
      : ['its configuration was changed']),
    ...Object.values(TABLES).flatMap((table) =>
      differing(database, runId, table as Table<unknown>, folded),
    ),
    ...brokenSeals(database, runId),
  ]
  return found.length === 0 ? undefined : listed(found)
}

const FOLDED: ReadonlySet<string> = new Set([
  ...Object.keys(TABLES),
  ...['evaluation-end', 'checkpoint', 'weights-kept', 'weights-deleted', 'job-start'],
])

const keyIn = <R>({ key }: Table<R>, values: readonly unknown[]) =>
  JSON.stringify(values.slice(1, key.length + 1))

const configOf = (database: Database, runId: string) =>
  prepared(database, 'SELECT config_json FROM run WHERE id = ?').pluck().get(runId) as string

function differing(
  database: Database,
  runId: string,
  table: Table<unknown>,
  folded: ReadonlyMap<string, ReadonlyMap<string, string>>,
): string[] {
  if (table === TABLES.sealedReply) return []
  const rest = new Map(folded.get(table.name))
  let changed = 0
  const stored = database
    .prepare(`SELECT * FROM ${table.name} WHERE run_id = ?`)
    .iterate(runId) as IterableIterator<Columns>
  for (const columns of stored) {
    const values = columnsOf(table, columns)
    const key = keyIn(table, values)
    if (rest.get(key) !== sha256(JSON.stringify(values))) changed++
    rest.delete(key)
  }
  const what = table.name.replace('_', ' ')
  return [
    ...(changed > 0 ? [`${counted(changed, `row of ${what}`, `rows of ${what}`)} changed`] : []),
    ...(rest.size > 0
      ? [`${counted(rest.size, `row of ${what}`, `rows of ${what}`)} missing`]
      : []),
  ]
}

/** The columns in the order of `toValues`. */
const columnsOf = ({ key, plain, json }: Table<unknown>, columns: Columns) => [
  columns['run_id'],
  ...[...key, ...plain].map((field) => columns[snakeCase(field)] ?? null),
  ...json.map((field) => columns[`${snakeCase(field)}_json`] ?? null),
]

/** Sums are written where the log is chained. */
const hasSums = (database: Database, runId: string): boolean =>
  prepared(database, 'SELECT 1 FROM sealed_reply WHERE run_id = ? AND sum IS NOT NULL LIMIT 1').get(
    runId,
  ) !== undefined

function brokenSeals(database: Database, runId: string): string[] {
  const rows = database
    .prepare('SELECT * FROM sealed_reply WHERE run_id = ? AND sum IS NOT NULL')
    .all(runId) as Columns[]
  const broken = rows.filter(
    (columns) =>
      sha256(JSON.stringify(columnsOf(TABLES.sealedReply as Table<unknown>, columns))) !==
      columns['sum'],
  ).length
  return broken === 0 ? [] : [`${counted(broken, 'withheld reply', 'withheld replies')} changed`]
}
