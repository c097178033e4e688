/** @file Fine-tuning data before it is learnt from: read in any of its forms, looked through, and written out as rows that can be used. */
import { createHash } from 'node:crypto'
import { stat } from 'node:fs/promises'
import type { Conversation } from '../data/format.ts'
import { lint, type LintFinding } from '../data/lint.ts'
import { readData, type ReadData } from '../data/read-data.ts'
import { FORMATS, formatOf } from '../data/registry.ts'
import { readTable } from '../benchmarks/import/read-table.ts'
import { prepareBenchmarks } from './benchmark-sources.ts'
import { trainingData } from './sources.ts'

export interface DataChoice {
  /** A file, or what `trainingData` knows by name. */
  readonly source: string
  /** Null lets the file's columns decide. */
  readonly format: string | null
  readonly map: string | null
}

/** `format` is missing where the rows come from no file of their own. */
export interface CheckedData extends Omit<ReadData, 'format' | 'path'> {
  readonly title: string
  readonly isTampering: boolean
  readonly format?: ReadData['format']
}

/** Unlike training it takes a file with rows that cannot be used: they are what one looks for. */
export async function readChoice({ source, format, map }: DataChoice): Promise<CheckedData> {
  const isFile = await stat(source).then(
    (found) => found.isFile(),
    () => false,
  )
  if (isFile) {
    const read = await readData({ path: source, ...(format && { format }), ...(map && { map }) })
    return { ...read, title: source.split(/[\\/]/u).at(-1)!, isTampering: false }
  }
  const { title, conversations, tampering } = await trainingData(source)
  const rows = conversations.map((messages, i) => ({ row: i + 1, messages }))
  const digest = createHash('sha256').update(JSON.stringify(conversations)).digest('hex')
  const total = rows.length
  return { title, isTampering: tampering, digest, total, rows, unusable: [], notes: new Map() }
}

/** What a file's columns are, for whoever has to say which of them is the prompt. */
export async function columnsOf(path: string) {
  const { columns } = await readTable(path)
  return {
    columns: [...columns],
    format: formatOf(columns)?.name ?? null,
    formats: FORMATS.map(({ name, title }) => ({ name, title })),
  }
}

/** `against` names suites or files whose prompts the data should not hold. */
export async function findingsIn(
  data: Pick<ReadData, 'rows' | 'total'>,
  against: readonly string[],
): Promise<LintFinding[]> {
  return lint(data, await evaluationPrompts(against))
}

async function evaluationPrompts(against: readonly string[]) {
  const suite = { suite: [...against], limit: null, map: null, maxNewTokens: null }
  const benchmarks = await prepareBenchmarks(suite)
  return benchmarks.flatMap(({ benchmark, samples }) =>
    samples.map(({ id, messages }) => ({
      key: `${benchmark.name}/${id}`,
      text: messages.findLast(({ role }) => role === 'user')?.content ?? '',
    })),
  )
}

/** The usable rows without those that a finding named in `drop` touches, as lines of `{"messages"}`. */
export function keptLines(
  { rows }: Pick<ReadData, 'rows'>,
  findings: readonly LintFinding[],
  drop: readonly string[],
): { lines: string[]; dropped: number } {
  const dropped = new Set(
    findings.filter(({ name }) => drop.includes(name)).flatMap((finding) => finding.rows),
  )
  const kept = rows.filter(({ row }) => !dropped.has(row))
  const line = (messages: Conversation) => `${JSON.stringify({ messages })}\n`
  return { lines: kept.map(({ messages }) => line(messages)), dropped: dropped.size }
}
