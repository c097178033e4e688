/**
 * @file Earlier runs that looked at the fine-tunes of a run: whoever asks other prompts, or draws other replies, until one run
 * passes has looked as often as that. The same prompts asked the same way give the same replies, and are no further look.
 */
import type { Database } from 'better-sqlite3'
import { prepared } from './prepared.ts'

/** A fine-tune is known by its weights; one that is served, by its path. */
const EARLIER = `SELECT count(DISTINCT other.run_id) FROM subject AS own
  JOIN run ON run.id = own.run_id
  JOIN benchmark AS asked ON asked.run_id = own.run_id
  JOIN subject AS other ON other.run_id <> own.run_id AND other.arm <> 'base'
    AND other.weights_digest = own.weights_digest AND other.adapter_digest IS own.adapter_digest
    AND (own.weights_digest <> '' OR other.path = own.path)
  JOIN run AS earlier ON earlier.id = other.run_id AND earlier.started_at < run.started_at
  JOIN benchmark AS before ON before.run_id = other.run_id AND before.name = asked.name
  WHERE own.run_id = ? AND own.arm <> 'base'
    -- A training that has not ended yet has no weights of its own.
    AND (own.adapter_digest IS NOT NULL OR own.weights_digest = '' OR own.weights_digest NOT IN (
      SELECT weights_digest FROM subject WHERE run_id = own.run_id AND arm = 'base'))
    AND (before.digest <> asked.digest OR before.looks_json IS NOT asked.looks_json
      OR (before.decoding_json IS NOT asked.decoding_json AND json_extract(asked.decoding_json, '$.temperature') > 0))
    AND EXISTS (SELECT 1 FROM reply WHERE reply.run_id = other.run_id AND reply.arm = other.arm
      AND reply.seed = other.seed AND reply.benchmark = before.name)`

export const earlierLooks = (database: Database, runId: string): number =>
  prepared(database, EARLIER).pluck().get(runId) as number
