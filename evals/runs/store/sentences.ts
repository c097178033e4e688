/**
 * @file A migration step: what version 0.1.0 stored as sentences becomes typed events and fields. Log lines about weights,
 * unblindings and comparisons change their type in place; artifacts receive their content; states with scaled intruders
 * receive a subject. It is part of the history: never edited, and independent of today's tables.
 */
import type { Database } from 'better-sqlite3'

type Groups = Readonly<Record<string, string | undefined>>

const armOf = ({ arm, seed }: Groups) => ({ arm, seed: Number(seed) })

/** Artifacts by their role. */
const CONTENTS: readonly [RegExp, (groups: Groups) => object][] = [
  [
    /^weights of (?<arm>.+), seed (?<seed>-?\d+)$/su,
    (groups) => ({ kind: 'weights', ...armOf(groups) }),
  ],
  [/, (?<rows>\d+) rows$/u, ({ rows }) => ({ kind: 'training-data', rows: Number(rows) })],
  [/^(?:results|report)$/u, () => ({ kind: 'output' })],
]

/** Log lines by their message. */
const EVENTS: readonly [RegExp, type: string, (groups: Groups) => object][] = [
  [
    /^The weights of (?<arm>.+), seed (?<seed>-?\d+) were kept although (?<why>.+?)\. Reason given: (?<reason>.*)$/su,
    'weights-kept',
    ({ why, reason, ...groups }) => ({
      subject: armOf(groups),
      reasonToDelete: why,
      reasonToKeep: reason,
    }),
  ],
  [
    /^The weights of (?<arm>.+), seed (?<seed>-?\d+) were deleted after measuring: (?<reason>.+)\. Their digest and curves stay\.$/su,
    'weights-deleted',
    ({ reason, ...groups }) => ({ subject: armOf(groups), reason }),
  ],
  [
    /^Weights that should have been deleted (?:\((?<why>.+)\) were exported|were handed out)\. Reason given: (?<reason>.*)$/su,
    'weights-handed-out',
    ({ why, reason }) => ({ reasonToDelete: why ?? null, reason }),
  ],
  [/^Unblinded: (?<reason>.*)$/su, 'unblinded', ({ reason }) => ({ reason })],
  [
    /^Compared with (?<against>.+) although they differ in (?<fields>.+) \(allowed by name\)\.$/su,
    'override',
    ({ fields, against }) => ({ fields: fields!.split(/, | and /u), against }),
  ],
]

const MITIGATED = /^mitigated:(?<form>paper|peft|shrink|neighbour)@(?<lambda>[^:]+):(?<of>.+)$/su

export function typeSentences(database: Database): void {
  typeArtifacts(database)
  typeLogs(database)
  addKeptWeights(database)
  foldWeights(database)
  addMitigatedSubjects(database)
}

/** The first entry whose expression matches. */
function matched<E extends readonly [RegExp, ...unknown[]]>(entries: readonly E[], text: string) {
  for (const entry of entries) {
    const found = entry[0].exec(text)
    if (found) return { entry, groups: (found.groups ?? {}) as Groups }
  }
  return undefined
}

function typeArtifacts(database: Database): void {
  const roles = database.prepare('SELECT DISTINCT role FROM artifact').pluck().all() as string[]
  const inTable = database.prepare('UPDATE artifact SET content_json = ? WHERE role = ?')
  const inLog = database.prepare(
    `UPDATE event SET body_json = json_set(body_json, '$.row.content', json(?))
     WHERE type = 'artifact' AND body_json ->> '$.row.role' = ?`,
  )
  for (const role of roles) {
    const found = matched(CONTENTS, role)
    if (!found) continue
    const content = JSON.stringify(found.entry[1](found.groups))
    inTable.run(content, role)
    inLog.run(content, role)
  }
}

interface LogRow {
  readonly runId: string
  readonly seq: number
  readonly message: string
}

function typeLogs(database: Database): void {
  const logs = database
    .prepare(
      `SELECT run_id AS runId, seq, body_json ->> '$.message' AS message FROM event WHERE type = 'log'`,
    )
    .all() as LogRow[]
  const fileOf = database.prepare(
    'SELECT path, digest FROM artifact WHERE run_id = ? AND role = ? LIMIT 1',
  )
  const change = database.prepare(
    'UPDATE event SET type = ?, body_json = ? WHERE run_id = ? AND seq = ?',
  )
  for (const { runId, seq, message } of logs) {
    const found = matched(EVENTS, message)
    if (!found) continue
    const { arm, seed } = found.groups
    const [, type, make] = found.entry
    const file = type === 'weights-kept' ? fileOf.get(runId, `weights of ${arm}, seed ${seed}`) : {}
    // A job that was killed before it exported the weights has said so alone; its resume decides again.
    if (file === undefined) continue
    change.run(type, JSON.stringify({ ...make(found.groups), ...(file as object) }), runId, seq)
  }
}

/** Weights that nothing spoke against were listed as artifacts alone. */
function addKeptWeights(database: Database): void {
  const unlisted = database
    .prepare(
      `SELECT run_id AS runId, path, digest, content_json AS content FROM artifact AS a
       WHERE content_json ->> '$.kind' = 'weights' AND NOT EXISTS (SELECT 1 FROM event AS e
         WHERE e.run_id = a.run_id AND e.type = 'weights-kept'
         AND e.body_json ->> '$.subject.arm' = content_json ->> '$.arm'
         AND e.body_json ->> '$.subject.seed' = content_json ->> '$.seed')`,
    )
    .all() as { runId: string; path: string; digest: string; content: string }[]
  for (const { runId, path, digest, content } of unlisted) {
    const { arm, seed } = JSON.parse(content) as { arm: string; seed: number }
    const reasons = { reasonToDelete: null, reasonToKeep: null }
    append(database, runId, 'weights-kept', { subject: { arm, seed }, path, digest, ...reasons })
  }
}

function foldWeights(database: Database): void {
  database.exec(
    `INSERT OR REPLACE INTO weights SELECT run_id, body_json ->> '$.subject.arm', body_json ->> '$.subject.seed',
       iif(type = 'weights-kept', 'kept', 'deleted'), body_json ->> '$.path', body_json ->> '$.digest',
       ifnull(body_json ->> '$.reasonToDelete', body_json ->> '$.reason'), body_json ->> '$.reasonToKeep'
     FROM event WHERE type IN ('weights-kept', 'weights-deleted') ORDER BY run_id, seq`,
  )
}

const SUBJECT = `title, path, method, weights_digest AS weightsDigest, adapter_digest AS adapterDigest,
  tokenizer_digest AS tokenizerDigest, template_digest AS templateDigest, parameters,
  trainable_parameters AS trainableParameters, classes_json AS classes`

/** A state with scaled intruders had metrics and replies under its arm's name, and no subject. */
function addMitigatedSubjects(database: Database): void {
  const arms = database
    .prepare(
      `SELECT DISTINCT run_id AS runId, arm, seed FROM metric WHERE arm LIKE 'mitigated:%' UNION
       SELECT DISTINCT run_id, arm, seed FROM evaluation WHERE arm LIKE 'mitigated:%'`,
    )
    .all() as { runId: string; arm: string; seed: number }[]
  const find = database.prepare(
    `SELECT ${SUBJECT} FROM subject WHERE run_id = ? AND ((arm = ? AND seed = ?) OR arm = 'base')
     ORDER BY arm = 'base' LIMIT 1`,
  )
  const insert = database.prepare(
    `INSERT INTO subject (run_id, arm, seed, title, path, method, weights_digest, adapter_digest,
       tokenizer_digest, template_digest, parameters, trainable_parameters, classes_json, mitigation_json)
     VALUES (@runId, @arm, @seed, @arm, @path, @method, @weightsDigest, @adapterDigest,
       @tokenizerDigest, @templateDigest, @parameters, @trainableParameters, @classes, @mitigation)`,
  )
  for (const { runId, arm, seed } of arms) {
    const { of, form, lambda } = (MITIGATED.exec(arm)?.groups ?? {}) as Groups
    const own = find.get(runId, of, seed) as (object & { classes: string | null }) | undefined
    if (of === undefined || own === undefined) continue
    const mitigation = { of, form, lambda: Number(lambda) }
    insert.run({ ...own, runId, arm, seed, mitigation: JSON.stringify(mitigation) })
    const { classes, ...identity } = own
    const row = { ...identity, arm, seed, title: arm, mitigation }
    const named = classes === null ? row : { ...row, classes: JSON.parse(classes) as unknown }
    append(database, runId, 'subject', { row: named })
  }
}

/** At the end of a run's log, at the time of its last event. */
function append(database: Database, runId: string, type: string, body: object): void {
  database
    .prepare(
      `INSERT INTO event (run_id, seq, at, type, body_json)
       SELECT run_id, max(seq) + 1, max(at), ?, ? FROM event WHERE run_id = ?`,
    )
    .run(type, JSON.stringify(body), runId)
}
