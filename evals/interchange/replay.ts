/**
 * @file Compares a repeated run with the original: replies, verdicts, metrics, spectra and weights, bit for bit. Replies are
 * compared by digest and never shown.
 */
import { sha256 } from '../files/digest.ts'
import type { AuditRows } from '../contract/audit-rows.ts'
import type { Engine } from '../contract/events.ts'
import type { SealedReply } from '../contract/rows.ts'

export interface ReplayedRun {
  readonly rows: AuditRows
  readonly sealed: readonly SealedReply[]
}

interface TableDifference {
  readonly table: string
  readonly rows: number
  /** Rows that differ, or that only one run has. */
  readonly different: number
  /** The fields that differ, and the first row where they do. */
  readonly fields: readonly string[]
  readonly first: string | null
}

export interface ReplayFindings {
  readonly isSame: boolean
  /** Possible reasons with both values, the likeliest first. */
  readonly engine: readonly { field: keyof Engine; before: string; after: string }[]
  readonly tables: readonly TableDifference[]
}

/** Another version or number of threads changes the order of sums; another processor has other instructions. */
const ENGINE_FIELDS = [
  'version',
  'onnxruntime',
  'threads',
  'arithmetic',
  'cpu',
  'device',
  'platform',
  'node',
] as const satisfies readonly (keyof Engine)[]

type Row = Readonly<Record<string, unknown>>

/** The fields that identify a row. */
const TABLES: readonly {
  name: string
  key: readonly string[]
  rowsOf: (run: ReplayedRun) => readonly Row[]
}[] = [
  { name: 'benchmarks', key: ['name'], rowsOf: ({ rows }) => rows.benchmarks },
  { name: 'subjects', key: ['arm', 'seed'], rowsOf: ({ rows }) => rows.subjects },
  { name: 'replies', key: replyKey(), rowsOf: ({ rows }) => rows.replies.map(withDigest) },
  { name: 'sealed replies', key: replyKey(), rowsOf: sealedOf },
  { name: 'verdicts', key: [...replyKey(), 'judge'], rowsOf: ({ rows }) => rows.verdicts },
  { name: 'metrics', key: ['arm', 'seed', 'step', 'name'], rowsOf: ({ rows }) => rows.metrics },
  {
    name: 'spectra',
    key: ['arm', 'seed', 'step', 'layer', 'module'],
    rowsOf: ({ rows }) => rows.spectra,
  },
  {
    name: 'evaluations',
    key: ['arm', 'seed', 'step', 'benchmark'],
    // Where rows were not asked for they are the same all the same.
    rowsOf: ({ rows }) => rows.evaluations.map(({ origin: _origin, ...row }) => row),
  },
]

function replyKey(): string[] {
  return ['arm', 'seed', 'step', 'benchmark', 'sampleId', 'epoch']
}

function withDigest({
  text,
  digest: _digest,
  ...row
}: {
  readonly text: string | null
  readonly digest?: string
}): Row {
  if (text === null) return { ...row, text }
  return { ...row, text: sha256(text) }
}

/** Also those that an earlier run alone has, by their digests. */
function sealedOf({ rows, sealed }: ReplayedRun): Row[] {
  const kept = rows.replies.flatMap(({ arm, seed, step, benchmark, sampleId, epoch, digest }) =>
    digest === undefined ? [] : [{ arm, seed, step, benchmark, sampleId, epoch, text: digest }],
  )
  return [...sealed.map(withDigest), ...kept]
}

export function compareReplay(before: ReplayedRun, after: ReplayedRun): ReplayFindings {
  const [was, is] = [before.rows.run.engine, after.rows.run.engine]
  const engine = ENGINE_FIELDS.filter((field) => was[field] !== is[field]).map((field) => ({
    field,
    before: String(was[field]),
    after: String(is[field]),
  }))
  const tables = TABLES.map(({ name, key, rowsOf }) =>
    compareTable(name, key, rowsOf(before), rowsOf(after)),
  )
  return { isSame: tables.every(({ different }) => different === 0), engine, tables }
}

function compareTable(
  table: string,
  key: readonly string[],
  before: readonly Row[],
  after: readonly Row[],
): TableDifference {
  const keyed = (rows: readonly Row[]) =>
    new Map(rows.map((row) => [key.map((field) => String(row[field])).join(', '), row]))
  const [was, is] = [keyed(before), keyed(after)]
  const fields = new Set<string>()
  let different = 0
  let first: string | null = null
  for (const name of new Set([...was.keys(), ...is.keys()])) {
    const changed = changedFields(was.get(name), is.get(name))
    if (changed.length === 0) continue
    different++
    first ??= name
    changed.forEach((field) => fields.add(field))
  }
  return { table, rows: was.size, different, fields: [...fields], first }
}

function changedFields(before: Row | undefined, after: Row | undefined): string[] {
  if (!before || !after) return [before ? 'missing in the new run' : 'only in the new run']
  return [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (field) => !isSameValue(before[field], after[field]),
  )
}

/** Bit for bit; an absent field equals null. */
function isSameValue(a: unknown, b: unknown): boolean {
  const text = (value: unknown) => JSON.stringify(sortedKeys(value) ?? null)
  return Object.is(a, b) || text(a) === text(b)
}

function sortedKeys(value: unknown): unknown {
  if (Array.isArray(value)) return value.map(sortedKeys)
  if (typeof value !== 'object' || value === null) return value
  const entries = Object.entries(value).map(([key, inner]) => [key, sortedKeys(inner)] as const)
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : 1)))
}
