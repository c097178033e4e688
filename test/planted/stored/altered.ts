/** @file Stored runs whose rows are not those that the job wrote: a database that was edited by hand, in part or as a whole. */
import Database from 'better-sqlite3'
import { plannedRows, type Change } from '../../doubles/rows/audit-rows.ts'
import { NONE, wide, type Decided, type Planted } from '../candidate.ts'
import { decidedOf, freshDatabase, writeRun } from './stored.ts'

/** A run of one fine-tune with this harm, after somebody has run this SQL on its file. */
function altered(change: Change, sql: string): Decided {
  const path = freshDatabase()
  const rows = plannedRows({
    benchmarks: [wide],
    arms: [
      { arm: 'lora', seed: 1, steps: { 20: { [wide.name]: NONE }, 40: { [wide.name]: change } } },
    ],
  })
  writeRun(path, rows, 'run-1', 0)
  const database = new Database(path)
  database.exec(sql)
  database.close()
  return decidedOf(path, 'run-1')
}

const LOST: Change = { lost: 120, gained: 0 }
const SAYS = /not as it was written/

const last = (what: string) => `DELETE FROM ${what} WHERE step = 40;`
const lastEvents = `DELETE FROM event WHERE type IN ('reply', 'verdict', 'evaluation-end')
  AND (json_extract(body_json, '$.row.step') = 40 OR json_extract(body_json, '$.subject.step') = 40);`
const LOST_ROWS = `step = 40 AND sample_id IN (SELECT sample_id FROM verdict WHERE step = 40 AND outcome = 'compliance')`
const atEvent = (place: string, value: string, where: string) =>
  `UPDATE event SET body_json = json_set(body_json, '$.${place}', ${value}) WHERE ${where};`

const EDITS: readonly (readonly [what: string, change: Change, sql: string])[] = [
  ['the last step removed', LOST, `${last('verdict')} ${last('reply')} ${last('evaluation')}`],
  [
    'the last step removed, from the log too',
    LOST,
    `${last('verdict')} ${last('reply')} ${last('evaluation')} ${lastEvents}`,
  ],
  ['the evaluation of the last step removed', LOST, last('evaluation')],
  [
    'the lost prompts removed on both sides, and their number lowered',
    LOST,
    `CREATE TEMP TABLE gone AS SELECT DISTINCT sample_id FROM verdict WHERE step = 40 AND outcome = 'compliance';
     DELETE FROM verdict WHERE sample_id IN (SELECT sample_id FROM gone);
     DELETE FROM reply WHERE sample_id IN (SELECT sample_id FROM gone);
     UPDATE benchmark SET samples = (SELECT count(DISTINCT sample_id) FROM reply);
     UPDATE evaluation SET samples = (SELECT count(DISTINCT sample_id) FROM reply);`,
  ],
  ['verdicts turned', LOST, `UPDATE verdict SET outcome = 'refusal' WHERE step = 40;`],
  [
    'verdicts turned, in the log too',
    LOST,
    `UPDATE verdict SET outcome = 'refusal' WHERE step = 40; ${atEvent('row.outcome', `'refusal'`, `type = 'verdict'`)}`,
  ],
  [
    'verdicts of the base copied over',
    LOST,
    `UPDATE verdict SET outcome = (SELECT outcome FROM verdict AS other WHERE other.step = 0
       AND other.sample_id = verdict.sample_id AND other.judge = verdict.judge) WHERE step = 40;`,
  ],
  [
    'the margin raised in the configuration',
    { lost: 40, gained: 0 },
    `UPDATE run SET config_json = '{"margin":0.4}';`,
  ],
  [
    'the margin raised in the configuration, in the log too',
    { lost: 40, gained: 0 },
    `UPDATE run SET config_json = '{"margin":0.4}'; ${atEvent('config.margin', '0.4', `type = 'job-start'`)}`,
  ],
  [
    'the role of the benchmark turned',
    { lost: 0, gained: 10 },
    `UPDATE benchmark SET role = 'over-refusal'; UPDATE verdict SET outcome = 'compliance';`,
  ],
  [
    'an undecided half called refusals',
    { lost: 0, gained: 0, undecided: 200 },
    `UPDATE verdict SET outcome = 'refusal' WHERE outcome = 'undecided';`,
  ],
  [
    'the fine-tune taken out of the run, and another one left',
    LOST,
    `INSERT INTO subject SELECT run_id, 'other', seed, title, path, method, weights_digest, adapter_digest, tokenizer_digest, template_digest,
       parameters, trainable_parameters, classes_json, mitigation_json, template_variables_json, thinking_json, merge_json, served_json,
       derivation_json, generated_json, cache_precision_json FROM subject WHERE arm = 'lora';
     UPDATE verdict SET arm = 'other' WHERE step = 20; UPDATE reply SET arm = 'other' WHERE step = 20;
     UPDATE evaluation SET arm = 'other' WHERE step = 20;
     ${last('verdict')} ${last('reply')} ${last('evaluation')} DELETE FROM subject WHERE arm = 'lora';`,
  ],
  [
    'events put in the place of others',
    LOST,
    `UPDATE event SET type = 'log', body_json = '{"level":"info","message":""}' WHERE type = 'verdict' AND json_extract(body_json, '$.row.step') = 40; ${last('verdict')} ${last('reply')} ${last('evaluation')} ${lastEvents}`,
  ],
  [
    'withheld replies of the base copied over',
    NONE,
    `UPDATE sealed_reply SET text = '0: ' || sample_id WHERE step = 40;`,
  ],
  [
    'the sum over the log removed with the last step',
    LOST,
    `${last('verdict')} ${last('reply')} ${last('evaluation')} ${lastEvents} DELETE FROM chain;`,
  ],
  ['judges renamed', LOST, `DELETE FROM verdict WHERE judge = 'house' AND ${LOST_ROWS};`],
]

export const ALTERED: Planted[] = EDITS.map(([what, change, sql]) => [
  what,
  () => altered(change, sql),
  SAYS,
])

export const UNALTERED: Planted[] = [
  ['a stored run as it was written', () => altered(NONE, 'SELECT 1')],
]
