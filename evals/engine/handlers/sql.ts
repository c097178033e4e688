/** @file The SQL console: each query runs in a process of its own on a read-only connection, for at most five seconds. */
import { join } from 'node:path'
import { FILE_NAME } from '../../runs/databases.ts'
import type { EngineHandlers } from '../../contract/api.ts'
import type { WireError } from '../../contract/wire-error.ts'
import { EngineError } from '../../contract/rpc.ts'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { tablesOf, type Answered } from '../../runs/store/console.ts'
import { startChild } from '../child.ts'
import type { Home } from '../home.ts'

export interface SqlQuery {
  readonly path: string
  readonly sql: string
  readonly limit: number
}

export type FromSql = { readonly answered: Answered } | { readonly error: WireError }

const SECONDS = 5
/** Allowed for the start of the process. */
const START_MS = 2000

export function sqlHandlers(home: Home): EngineHandlers['sql'] {
  const pathOf = (runId: string | null) =>
    join(runId === null ? home.folder : home.find(runId).folder, FILE_NAME)
  return {
    tables: () => tablesOf(pathOf(null)),
    async query({ sql, limit, runId }) {
      const began = performance.now()
      const answered = await runQuery({ path: pathOf(runId), sql, limit })
      return { ...answered, milliseconds: performance.now() - began }
    },
  }
}

async function runQuery(query: SqlQuery): Promise<Answered> {
  const child = startChild<never, FromSql>('sql-process', [JSON.stringify(query)])
  let isLate = false
  const timer = setTimeout(
    () => {
      isLate = true
      child.kill()
    },
    1000 * SECONDS + START_MS,
  )
  let heard: FromSql | undefined
  child.onMessage((message) => (heard = message))
  const how = await child.ended
  clearTimeout(timer)
  if (heard && 'answered' in heard) return heard.answered
  if (heard) throw new EngineError(heard.error)
  if (isLate) throw new TouchstoneError('sql.slow', { seconds: SECONDS })
  const died = { what: 'answered the query', how: how ?? 'without a word' }
  throw new TouchstoneError('engine.process-died', died)
}
