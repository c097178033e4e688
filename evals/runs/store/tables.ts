/** @file Rows of the contract as table rows. Column = snake_case of the field, with `_json` for structures. */
import type {
  CheckpointRow,
  FinishedEvaluation,
  RunRow,
  WeightsRow,
} from '../../contract/audit-rows.ts'
import type { BenchmarkFile } from '../../contract/evidence.ts'
import type {
  ArtifactRow,
  BenchmarkRow,
  MetricRow,
  RepeatRow,
  ReplyRow,
  SealedReply,
  SpectrumRow,
  SubjectIdentity,
  VerdictRow,
} from '../../contract/rows.ts'
import type { CellRow } from '../../contract/sweeps.ts'

type Value = string | number | null
/** A row as SQLite gives it. */
export type Columns = Record<string, Value>

type Fields<R> = readonly (keyof R & string)[]

export interface Table<R> {
  readonly name: string
  /** Fields of the natural primary key; `run_id` stands before them in tables of a run. */
  readonly key: Fields<R>
  readonly plain: Fields<R>
  readonly json: Fields<R>
  /** By key, or in the order of first insertion. */
  readonly order: 'key' | 'first-seen'
}

/** `json`: fields that are stored as JSON text. */
const table = <R>(
  name: string,
  key: Fields<R>,
  plain: Fields<R>,
  json: Fields<R> = [],
  order: Table<R>['order'] = 'key',
): Table<R> => ({ name, key, plain, json, order })

const SUBJECT = ['arm', 'seed', 'step'] as const
const REPLY = [...SUBJECT, 'benchmark', 'sampleId', 'epoch'] as const

/** The tables of a run, by the event or the row that fills them. */
export const TABLES = {
  benchmark: table<BenchmarkRow>(
    'benchmark',
    ['name'],
    ['title', 'role', 'samples', 'digest', 'maxNewTokens'],
    ['judges', 'decoding', 'context', 'gain', 'licences', 'looks'],
    'first-seen',
  ),
  subject: table<SubjectIdentity>(
    'subject',
    ['arm', 'seed'],
    [
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
    [
      'cachePrecision',
      'classes',
      'derivation',
      'generated',
      'merge',
      'mitigation',
      'templateVariables',
      'thinking',
      'served',
    ],
    'first-seen',
  ),
  metric: table<MetricRow>('metric', [...SUBJECT, 'name'], ['value']),
  reply: table<ReplyRow>(
    'reply',
    REPLY,
    [
      'category',
      'cluster',
      'prompt',
      'promptDigest',
      'text',
      'tokens',
      'stop',
      'meanLogProb',
      'baseMeanLogProb',
      'cutTokens',
    ],
    ['expected', 'thought', 'served', 'digest'],
  ),
  sealedReply: table<SealedReply>('sealed_reply', REPLY, ['text'], ['thought']),
  verdict: table<VerdictRow>(
    'verdict',
    [...REPLY, 'judge'],
    ['judgeVersion', 'outcome', 'score', 'reason'],
    ['thoughtOutcome'],
  ),
  repeat: table<RepeatRow>(
    'repeated_reply',
    ['benchmark', 'sampleId', 'repeat', 'judge'],
    ['outcome'],
    ['digest'],
  ),
  spectrum: table<SpectrumRow>(
    'spectrum',
    [...SUBJECT, 'layer', 'module'],
    [
      'weight',
      'relativeChange',
      'effectiveRankOfChange',
      'epsilon',
      'intruders',
      'intruderEnergyShare',
    ],
    ['shape', 'singularValues', 'alignment', 'nullP', 'nullBand', 'details', 'unchanged'],
  ),
  evaluation: table<FinishedEvaluation>(
    'evaluation',
    [...SUBJECT, 'benchmark'],
    ['samples', 'context'],
    ['origin'],
  ),
  checkpoint: table<CheckpointRow>('checkpoint', SUBJECT, ['path', 'digest']),
  artifact: table<ArtifactRow>('artifact', ['role', 'path'], ['digest', 'bytes'], ['content']),
  weights: table<WeightsRow>(
    'weights',
    ['arm', 'seed'],
    ['outcome', 'path', 'digest', 'reasonToDelete', 'reasonToKeep'],
  ),
  cell: table<CellRow>(
    'cell',
    ['position'],
    ['key', 'status', 'seconds'],
    ['spec', 'identity', 'error', 'metrics', 'curves', 'gate'],
  ),
}

/** `error` is absent where there was none. */
export const RUN = table<Partial<RunRow>>(
  'run',
  ['id'],
  ['kind', 'title', 'command', 'startedAt', 'endedAt', 'outcome'],
  ['config', 'engine', 'error'],
)

/** Belongs to no run. */
export const BENCHMARK_FILE = table<BenchmarkFile>(
  'benchmark_file',
  ['name', 'digest'],
  ['path', 'fileDigest', 'rows', 'samples', 'importedAt'],
  ['licences', 'promptHashes'],
)

const names = new Map<string, string>()

/** Cached, because every value of every row needs its column's name. */
export function snakeCase(field: string): string {
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
    ...key.concat(plain).map((field) => (row[field] ?? null) as Value),
    ...json.map((field) => JSON.stringify(row[field]) ?? null),
  ]
}

export function fromColumns<R>({ key, plain, json }: Table<R>, columns: Columns): R {
  const row: Record<string, unknown> = {}
  for (const field of key) row[field] = columns[snakeCase(field)]
  for (const field of plain) row[field] = columns[snakeCase(field)]
  for (const field of json) {
    const text = columns[`${snakeCase(field)}_json`]
    if (text != null) row[field] = JSON.parse(text as string) as unknown
  }
  return row as R
}
