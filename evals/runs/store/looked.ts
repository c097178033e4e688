/**
 * @file Runs that looked at the fine-tunes of a run before it: whoever asks other prompts, or draws other replies, until one run
 * passes has looked as often as that. The same prompts asked the same way give the same replies, and are no further look; who
 * freezes a plan after them knows what it will find.
 */
import type { Database } from 'better-sqlite3'
import type { AuditRows } from '../../contract/audit-rows.ts'
import { prepared } from './prepared.ts'

/** A fine-tune is known by its weights; one that is served, by its path; one that is asked alone is the base of its run. */
const EARLIER = `WITH tuned AS (
    SELECT * FROM subject WHERE arm <> 'base'
      OR NOT EXISTS (SELECT 1 FROM subject AS beside WHERE beside.run_id = subject.run_id AND beside.arm <> 'base'))
  SELECT other.run_id AS runId, max(before.digest = asked.digest) AS isSame,
    max(before.digest <> asked.digest OR before.looks_json IS NOT asked.looks_json
      OR before.max_new_tokens <> asked.max_new_tokens OR before.context_json IS NOT asked.context_json
      OR other.template_variables_json IS NOT own.template_variables_json
      OR other.thinking_json IS NOT own.thinking_json OR other.cache_precision_json IS NOT own.cache_precision_json
      OR (before.decoding_json IS NOT asked.decoding_json AND json_extract(asked.decoding_json, '$.temperature') > 0)
    ) AS isOther
  FROM tuned AS own
  JOIN benchmark AS asked ON asked.run_id = own.run_id
  JOIN tuned AS other ON other.run_id <> own.run_id
    AND other.weights_digest = own.weights_digest AND other.adapter_digest IS own.adapter_digest
    AND (own.weights_digest <> '' OR other.path = own.path)
  JOIN benchmark AS before ON before.run_id = other.run_id AND before.name = asked.name
  WHERE own.run_id = ?
    -- A training that has not ended yet has no weights of its own.
    AND (own.arm = 'base' OR own.adapter_digest IS NOT NULL OR own.weights_digest = '' OR own.weights_digest NOT IN (
      SELECT weights_digest FROM subject WHERE run_id = own.run_id AND arm = 'base'))
    AND EXISTS (SELECT 1 FROM reply WHERE reply.run_id = other.run_id AND reply.arm = other.arm
      AND reply.seed = other.seed AND reply.benchmark = before.name)
  GROUP BY other.run_id`

/** A run that began before and was interrupted may be asked after: what counts is which replies were there first. */
const FIRST = `SELECT min(at) FROM event WHERE run_id = ? AND type = 'reply'`
const LAST = `SELECT max(at) FROM event WHERE run_id = ? AND type = 'reply'`

interface Found {
  readonly runId: string
  readonly isSame: number
  readonly isOther: number
}

export function earlierLooks(
  database: Database,
  runId: string,
): Pick<AuditRows, 'looked' | 'known'> {
  const at = (sql: string, id: string) => prepared(database, sql).pluck().get(id) as number | null
  const found = prepared(database, EARLIER).all(runId) as Found[]
  if (found.length === 0) return {}
  const last = at(LAST, runId) ?? 0
  const earlier = found.filter((each) => (at(FIRST, each.runId) ?? last) < last)
  const looked = earlier.filter(({ isOther }) => isOther === 1).length
  const known = earlier.flatMap((each) => (each.isSame === 1 ? [each.runId] : []))
  return { ...(looked > 0 && { looked }), ...(known.length > 0 && { known }) }
}
