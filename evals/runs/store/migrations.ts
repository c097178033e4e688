/** @file The database's history. Append only: a shipped migration is never edited. */
import type { Database } from 'better-sqlite3'
import { rmSync } from 'node:fs'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { copyPrivately } from './private-database.ts'
import { typeSentences } from './sentences.ts'

const SUBJECT_KEY = `run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     arm TEXT NOT NULL, seed INTEGER NOT NULL, step INTEGER NOT NULL`
const REPLY_KEY = `${SUBJECT_KEY},
     benchmark TEXT NOT NULL, sample_id TEXT NOT NULL, epoch INTEGER NOT NULL`

function facetTrigger(table: string, kind: string): string {
  const value = `new.run_id, new.arm, new.seed, new.step, new.benchmark, '${kind}', new.${kind}`
  return `CREATE TRIGGER ${table}_facet AFTER INSERT ON ${table} BEGIN
     INSERT INTO facet SELECT ${value} WHERE NOT EXISTS (SELECT 1 FROM facet WHERE
       (run_id, arm, seed, step, benchmark, kind, value) = (${value})); END;`
}

/** SQL, or a step that SQL cannot express. */
type Migration = string | ((database: Database) => void)

const apply = (database: Database, migration: Migration): void => {
  if (typeof migration === 'string') database.exec(migration)
  else migration(database)
}

/** Entry n takes the file from `user_version` n to n + 1. */
export const MIGRATIONS: readonly Migration[] = [
  `CREATE TABLE run (
     id TEXT PRIMARY KEY, kind TEXT NOT NULL, title TEXT NOT NULL, command TEXT NOT NULL,
     config_json TEXT NOT NULL, engine_json TEXT NOT NULL, started_at INTEGER NOT NULL,
     ended_at INTEGER, outcome TEXT CHECK (outcome IN ('done', 'cancelled', 'failed')), error_json TEXT
   ) STRICT;
   CREATE TABLE event (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE DEFERRABLE INITIALLY DEFERRED,
     seq INTEGER NOT NULL, at INTEGER NOT NULL, type TEXT NOT NULL, body_json TEXT NOT NULL,
     PRIMARY KEY (run_id, seq)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE benchmark (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     name TEXT NOT NULL, title TEXT NOT NULL, role TEXT NOT NULL, samples INTEGER NOT NULL,
     digest TEXT NOT NULL, judges_json TEXT NOT NULL, max_new_tokens INTEGER NOT NULL,
     PRIMARY KEY (run_id, name)
   ) STRICT;
   CREATE TABLE subject (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     arm TEXT NOT NULL, seed INTEGER NOT NULL, title TEXT NOT NULL, path TEXT NOT NULL, method TEXT,
     weights_digest TEXT NOT NULL, adapter_digest TEXT, tokenizer_digest TEXT NOT NULL,
     template_digest TEXT NOT NULL, parameters INTEGER NOT NULL, trainable_parameters INTEGER NOT NULL,
     PRIMARY KEY (run_id, arm, seed)
   ) STRICT;
   CREATE TABLE metric (
     ${SUBJECT_KEY}, name TEXT NOT NULL, value REAL NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, name)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE reply (
     ${REPLY_KEY}, category TEXT NOT NULL, expected_json TEXT NOT NULL, prompt TEXT NOT NULL,
     prompt_digest TEXT NOT NULL, text TEXT, tokens INTEGER NOT NULL, stop TEXT NOT NULL,
     mean_log_prob REAL NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, benchmark, sample_id, epoch)
   ) STRICT;
   CREATE TABLE sealed_reply (
     ${REPLY_KEY}, text TEXT NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, benchmark, sample_id, epoch)
   ) STRICT;
   CREATE TABLE verdict (
     ${REPLY_KEY}, judge TEXT NOT NULL, judge_version TEXT NOT NULL, outcome TEXT NOT NULL,
     score REAL, reason TEXT,
     PRIMARY KEY (run_id, arm, seed, step, benchmark, sample_id, epoch, judge)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE spectrum (
     ${SUBJECT_KEY}, layer INTEGER NOT NULL, module TEXT NOT NULL, weight TEXT NOT NULL,
     shape_json TEXT NOT NULL, relative_change REAL NOT NULL, effective_rank_of_change REAL,
     singular_values_json TEXT NOT NULL, alignment_json TEXT NOT NULL, null_p_json TEXT NOT NULL,
     null_band_json TEXT NOT NULL, epsilon REAL NOT NULL, intruders INTEGER NOT NULL,
     intruder_energy_share REAL NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, layer, module)
   ) STRICT;
   CREATE TABLE evaluation (
     ${SUBJECT_KEY}, benchmark TEXT NOT NULL, samples INTEGER NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, benchmark)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE checkpoint (
     ${SUBJECT_KEY}, path TEXT NOT NULL, digest TEXT NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE artifact (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     role TEXT NOT NULL, path TEXT NOT NULL, digest TEXT NOT NULL, bytes INTEGER NOT NULL,
     PRIMARY KEY (run_id, role, path)
   ) STRICT, WITHOUT ROWID;`,
  `CREATE TABLE cell (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     position INTEGER NOT NULL, key TEXT NOT NULL, status TEXT NOT NULL,
     seconds REAL NOT NULL, spec_json TEXT NOT NULL, identity_json TEXT NOT NULL, error_json TEXT NOT NULL,
     metrics_json TEXT NOT NULL, curves_json TEXT NOT NULL,
     PRIMARY KEY (run_id, position)
   ) STRICT;`,
  `ALTER TABLE spectrum ADD COLUMN details_json TEXT;`,
  `CREATE TABLE benchmark_file (
     name TEXT NOT NULL, digest TEXT NOT NULL, path TEXT NOT NULL, file_digest TEXT NOT NULL,
     rows INTEGER NOT NULL, samples INTEGER NOT NULL, licences_json TEXT NOT NULL,
     prompt_hashes_json TEXT NOT NULL, imported_at INTEGER NOT NULL,
     PRIMARY KEY (name, digest)
   ) STRICT;
   CREATE TABLE label_item (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     item TEXT NOT NULL, arm TEXT NOT NULL, seed INTEGER NOT NULL, step INTEGER NOT NULL,
     benchmark TEXT NOT NULL, sample_id TEXT NOT NULL, epoch INTEGER NOT NULL,
     PRIMARY KEY (run_id, item),
     UNIQUE (run_id, arm, seed, step, benchmark, sample_id, epoch)
   ) STRICT, WITHOUT ROWID;
   CREATE TABLE label (
     run_id TEXT NOT NULL, item TEXT NOT NULL, rater TEXT NOT NULL, outcome TEXT NOT NULL,
     labelled_at INTEGER NOT NULL,
     FOREIGN KEY (run_id, item) REFERENCES label_item(run_id, item) ON DELETE CASCADE
   ) STRICT;
   CREATE INDEX label_of_item ON label (run_id, item);`,
  `ALTER TABLE reply ADD COLUMN base_mean_log_prob REAL;`,
  // Categories and judges of each state, kept because finding them reads every reply and verdict.
  `CREATE TABLE facet (
     ${SUBJECT_KEY}, benchmark TEXT NOT NULL, kind TEXT NOT NULL, value TEXT NOT NULL,
     PRIMARY KEY (run_id, arm, seed, step, benchmark, kind, value)
   ) STRICT, WITHOUT ROWID;
   INSERT INTO facet
     SELECT DISTINCT run_id, arm, seed, step, benchmark, 'category', category FROM reply UNION
     SELECT DISTINCT run_id, arm, seed, step, benchmark, 'judge', judge FROM verdict;
   ${facetTrigger('reply', 'category')} ${facetTrigger('verdict', 'judge')}`,
  `ALTER TABLE benchmark ADD COLUMN decoding_json TEXT;
   ALTER TABLE reply ADD COLUMN cut_tokens INTEGER;`,
  `ALTER TABLE label ADD COLUMN is_settling INTEGER NOT NULL DEFAULT 0;`,
  `ALTER TABLE subject ADD COLUMN classes_json TEXT;`,
  `ALTER TABLE subject ADD COLUMN mitigation_json TEXT;
   ALTER TABLE artifact ADD COLUMN content_json TEXT;
   CREATE TABLE weights (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     arm TEXT NOT NULL, seed INTEGER NOT NULL, outcome TEXT NOT NULL CHECK (outcome IN ('kept', 'deleted')),
     path TEXT, digest TEXT, reason_to_delete TEXT, reason_to_keep TEXT,
     PRIMARY KEY (run_id, arm, seed)
   ) STRICT, WITHOUT ROWID;`,
  typeSentences,
  `ALTER TABLE benchmark ADD COLUMN context_json TEXT;
   ALTER TABLE evaluation ADD COLUMN context TEXT;`,
  `ALTER TABLE label_item ADD COLUMN draw TEXT;
   ALTER TABLE label_item ADD COLUMN drawn_by TEXT;`,
  `ALTER TABLE subject ADD COLUMN template_variables_json TEXT;
   ALTER TABLE subject ADD COLUMN thinking_json TEXT;
   ALTER TABLE reply ADD COLUMN thought_json TEXT;
   ALTER TABLE sealed_reply ADD COLUMN thought_json TEXT;
   ALTER TABLE verdict ADD COLUMN thought_outcome_json TEXT;`,
  // Of replies of any run, so that what was judged once is not judged again.
  `CREATE TABLE judged_reply (
     judge TEXT NOT NULL, judge_version TEXT NOT NULL, digest TEXT NOT NULL,
     outcome TEXT NOT NULL, score REAL, reason TEXT, thought_outcome TEXT,
     PRIMARY KEY (judge, judge_version, digest)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE reply ADD COLUMN cluster TEXT;`,
  `ALTER TABLE benchmark ADD COLUMN gain_json TEXT;`,
  `ALTER TABLE subject ADD COLUMN merge_json TEXT;`,
  `ALTER TABLE cell ADD COLUMN gate_json TEXT;`,
  `ALTER TABLE benchmark ADD COLUMN licences_json TEXT;`,
  // A server may give no log-probabilities; SQLite cannot take NOT NULL from a column.
  `ALTER TABLE subject ADD COLUMN served_json TEXT;
   ALTER TABLE reply ADD COLUMN served_json TEXT;
   ALTER TABLE reply RENAME COLUMN mean_log_prob TO known_log_prob;
   ALTER TABLE reply ADD COLUMN mean_log_prob REAL;
   UPDATE reply SET mean_log_prob = known_log_prob;
   ALTER TABLE reply DROP COLUMN known_log_prob;
   CREATE TABLE repeated_reply (
     run_id TEXT NOT NULL REFERENCES run(id) ON DELETE CASCADE,
     benchmark TEXT NOT NULL, sample_id TEXT NOT NULL, repeat INTEGER NOT NULL, judge TEXT NOT NULL,
     outcome TEXT NOT NULL,
     PRIMARY KEY (run_id, benchmark, sample_id, repeat, judge)
   ) STRICT, WITHOUT ROWID;`,
  `ALTER TABLE benchmark ADD COLUMN looks_json TEXT;`,
  `ALTER TABLE subject ADD COLUMN derivation_json TEXT;`,
  `ALTER TABLE evaluation ADD COLUMN origin_json TEXT;
   ALTER TABLE reply ADD COLUMN digest_json TEXT;`,
  `ALTER TABLE subject ADD COLUMN generated_json TEXT;`,
  `ALTER TABLE spectrum ADD COLUMN unchanged_json TEXT;`,
  `ALTER TABLE subject ADD COLUMN cache_precision_json TEXT;`,
  `CREATE TABLE chain (
     run_id TEXT PRIMARY KEY REFERENCES run(id) ON DELETE CASCADE, events INTEGER NOT NULL, digest TEXT NOT NULL
   ) STRICT, WITHOUT ROWID;
   ALTER TABLE sealed_reply ADD COLUMN sum TEXT;
   ALTER TABLE judged_reply ADD COLUMN sum TEXT;`,
  `ALTER TABLE repeated_reply ADD COLUMN digest_json TEXT;`,
]

/** "TSTN": distinguishes our files from those of other programs, which must not be written to. */
const APPLICATION_ID = 0x5453544e

const pragma = (database: Database, name: string) => Number(database.pragma(name, { simple: true }))

/** Brings the file to the newest schema in one transaction; an older file is copied to `PATH.schema-N.bak` first. */
export function migrate(
  database: Database,
  path: string,
  migrations: readonly Migration[] = MIGRATIONS,
): void {
  const found = pragma(database, 'user_version')
  const known = migrations.length
  refuseForeign(database, path)
  if (found > known) throw new TouchstoneError('store.newer', { path, found, known })
  if (found === known) return
  if (found > 0) copyTo(database, `${path}.schema-${found}.bak`)
  database
    .transaction(() => {
      // Read again: another process may have migrated before this one held the lock.
      for (const migration of migrations.slice(pragma(database, 'user_version'))) {
        apply(database, migration)
      }
      database.pragma(`application_id = ${APPLICATION_ID}`)
      database.pragma(`user_version = ${known}`)
    })
    .immediate()
}

function refuseForeign(database: Database, path: string): void {
  if (pragma(database, 'application_id') === APPLICATION_ID) return
  const { count } = database.prepare('SELECT count(*) AS count FROM sqlite_schema').get() as {
    count: number
  }
  const isEmpty = count === 0 && pragma(database, 'user_version') === 0
  if (isEmpty) return
  throw new TouchstoneError('store.unreadable', {
    path,
    why: 'it is a database of another program',
  })
}

/** Replaces the copy of an interrupted migration, after which the file itself is still the old one. */
function copyTo(database: Database, copy: string): void {
  rmSync(copy, { force: true })
  copyPrivately(database, copy)
}
