/** @file Rows of the contract as table rows. Column = snake_case of the field, with `_json` for structures. */
import type { CheckpointRow, FinishedEvaluation, WeightsRow } from '../../contract/audit-rows.ts'
import type {
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  ReplyRow,
  SealedReply,
  SpectrumRow,
  SubjectIdentity,
  VerdictRow,
} from '../../contract/rows.ts'
import type { CellRow } from '../../contract/sweeps.ts'

export type Value = string | number | null

export interface Table<R> {
  readonly name: string
  /** Fields of the natural primary key, after `run_id`. */
  readonly key: readonly (keyof R & string)[]
  readonly plain: readonly (keyof R & string)[]
  readonly json: readonly (keyof R & string)[]
  /** By key, or in the order of first insertion. */
  readonly order: 'key' | 'first-seen'
}

const SUBJECT = ['arm', 'seed', 'step'] as const
const REPLY = [...SUBJECT, 'benchmark', 'sampleId', 'epoch'] as const

export const BENCHMARK: Table<BenchmarkRow> = {
  name: 'benchmark',
  key: ['name'],
  plain: ['title', 'role', 'samples', 'digest', 'maxNewTokens'],
  json: ['judges', 'decoding'],
  order: 'first-seen',
}
export const SUBJECT_IDENTITY: Table<SubjectIdentity> = {
  name: 'subject',
  key: ['arm', 'seed'],
  plain: [
    'title',
    'path',
    'method',
    'weightsDigest',
    'adapterDigest',
    'tokenizerDigest',
    'templateDigest',
    'parameters',
    'trainableParameters',
  ],
  json: ['classes', 'mitigation'],
  order: 'first-seen',
}
export const METRIC: Table<MetricRow> = {
  name: 'metric',
  key: [...SUBJECT, 'name'],
  plain: ['value'],
  json: [],
  order: 'key',
}
export const REPLY_ROW: Table<ReplyRow> = {
  name: 'reply',
  key: REPLY,
  plain: [
    'category',
    'prompt',
    'promptDigest',
    'text',
    'tokens',
    'stop',
    'meanLogProb',
    'baseMeanLogProb',
    'cutTokens',
  ],
  json: ['expected'],
  order: 'key',
}
export const SEALED_REPLY: Table<SealedReply> = {
  name: 'sealed_reply',
  key: REPLY,
  plain: ['text'],
  json: [],
  order: 'key',
}
export const VERDICT: Table<VerdictRow> = {
  name: 'verdict',
  key: [...REPLY, 'judge'],
  plain: ['judgeVersion', 'outcome', 'score', 'reason'],
  json: [],
  order: 'key',
}
export const SPECTRUM: Table<SpectrumRow> = {
  name: 'spectrum',
  key: [...SUBJECT, 'layer', 'module'],
  plain: [
    'weight',
    'relativeChange',
    'effectiveRankOfChange',
    'epsilon',
    'intruders',
    'intruderEnergyShare',
  ],
  json: ['shape', 'singularValues', 'alignment', 'nullP', 'nullBand', 'details'],
  order: 'key',
}
export const EVALUATION: Table<FinishedEvaluation> = {
  name: 'evaluation',
  key: [...SUBJECT, 'benchmark'],
  plain: ['samples'],
  json: [],
  order: 'key',
}
export const CHECKPOINT: Table<CheckpointRow> = {
  name: 'checkpoint',
  key: SUBJECT,
  plain: ['path', 'digest'],
  json: [],
  order: 'key',
}
export const ARTIFACT: Table<ArtifactRow> = {
  name: 'artifact',
  key: ['role', 'path'],
  plain: ['digest', 'bytes'],
  json: ['content'],
  order: 'key',
}
export const WEIGHTS: Table<WeightsRow> = {
  name: 'weights',
  key: ['arm', 'seed'],
  plain: ['outcome', 'path', 'digest', 'reasonToDelete', 'reasonToKeep'],
  json: [],
  order: 'key',
}
export const CELL: Table<CellRow> = {
  name: 'cell',
  key: ['position'],
  plain: ['key', 'status', 'seconds'],
  json: ['spec', 'identity', 'error', 'metrics', 'curves'],
  order: 'key',
}

const names = new Map<string, string>()

/** Cached, because every value of every row needs its column's name. */
function snakeCase(field: string): string {
  const known = names.get(field)
  if (known !== undefined) return known
  const made = field.replace(/[A-Z]/g, (letter) => `_${letter.toLowerCase()}`)
  names.set(field, made)
  return made
}

/** Inserts a row or overwrites the row with its key, so that a row repeated after a resume changes nothing. */
export function upsertSql<R>({ name, key, plain, json }: Table<R>): string {
  const keys = ['run_id', ...key.map(snakeCase)]
  const values = [...plain.map(snakeCase), ...json.map((field) => `${snakeCase(field)}_json`)]
  const all = [...keys, ...values]
  const updates = values.map((column) => `${column} = excluded.${column}`)
  return `INSERT INTO ${name} (${all.join(', ')}) VALUES (${all.map(() => '?').join(', ')})
    ON CONFLICT (${keys.join(', ')}) DO UPDATE SET ${updates.join(', ')}`
}

export function selectSql<R>({ name, key, order }: Table<R>): string {
  const by = order === 'first-seen' ? 'rowid' : key.map(snakeCase).join(', ')
  return `SELECT * FROM ${name} WHERE run_id = ? ORDER BY ${by}`
}

/** The row as parameters of `upsertSql`. */
export function toValues<R>({ key, plain, json }: Table<R>, runId: string, row: R): Value[] {
  return [
    runId,
    // An absent optional field is NULL, also in `_json` columns.
    ...[...key, ...plain].map((field) => (row[field] ?? null) as Value),
    ...json.map((field) => JSON.stringify(row[field]) ?? null),
  ]
}

export function fromColumns<R>({ key, plain, json }: Table<R>, columns: Record<string, Value>): R {
  return Object.fromEntries([
    ...[...key, ...plain].map((field) => [field, columns[snakeCase(field)]]),
    ...json.flatMap((field) => {
      const text = columns[`${snakeCase(field)}_json`]
      return text == null ? [] : [[field, JSON.parse(text as string) as unknown]]
    }),
  ]) as R
}
