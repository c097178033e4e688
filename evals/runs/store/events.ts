/** @file Events as rows of the log table. */
import type { Database } from 'better-sqlite3'
import type { EventType, JobEvent } from '../../contract/events.ts'

export interface EventQuery {
  readonly afterSeq?: number
  /** Every type if absent. */
  readonly types?: readonly EventType[]
  /** Every event if absent. */
  readonly limit?: number
}

interface EventColumns {
  readonly seq: number
  readonly at: number
  readonly type: EventType
  readonly body_json: string
}

/** The events of a run in ascending order of `seq`. */
export function eventsOf<T extends EventType = EventType>(
  database: Database,
  runId: string,
  { afterSeq = 0, types, limit = -1 }: EventQuery & { readonly types?: readonly T[] } = {},
): (JobEvent & { type: T })[] {
  const ofTypes = types ? `AND type IN (${types.map(() => '?').join(', ')})` : ''
  const rows = database
    .prepare(
      `SELECT seq, at, type, body_json FROM event WHERE run_id = ? AND seq > ? ${ofTypes} ORDER BY seq LIMIT ?`,
    )
    .all(runId, afterSeq, ...(types ?? []), limit) as EventColumns[]
  return rows.map(({ body_json: body, ...row }) => ({
    runId,
    ...row,
    ...(JSON.parse(body) as object),
  })) as (JobEvent & { type: T })[]
}
