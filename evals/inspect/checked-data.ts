/** @file Checks fine-tuning data before training: reads any format, reports findings, and writes a copy with the usable rows. */
import { sha256 } from '../files/digest.ts'
import { stat } from 'node:fs/promises'
import { basename } from 'node:path'
import { openRows } from '../tables/rows/open-rows.ts'
import { usageError } from '../errors/touchstone-error.ts'
import { asDataError, openData, type DataSource } from '../data/data-file.ts'
import type { Conversation, DataFormat } from '../data/format.ts'
import { createLinter, type LintFinding, type Linter } from '../data/lint.ts'
import { sampleData, scanData, type DataRow, type DataSummary } from '../data/read-data.ts'
import { FORMATS, formatOf } from '../data/registry.ts'
import { createRowIndex, type RowIndex } from '../data/row-index.ts'
import { writeAtomically } from '../files/write-file.ts'
import { prepareBenchmarks } from '../measure/benchmark-sources.ts'
import { isFile, sampleNamed, trainingData } from '../measure/sources.ts'

interface DataChoice {
  /** A file, or what `trainingData` knows by name. */
  readonly source: string
  /** If null, the columns decide. */
  readonly format: string | null
  readonly map: string | null
}

export type CheckedSummary = Omit<DataSummary, 'path' | 'format'>

/** Rows that are read anew at each call. Unlike training, it accepts files with unusable rows, which it reports. */
export interface CheckedData {
  readonly title: string
  readonly isTampering: boolean
  /** Absent if the rows are not from one file. */
  readonly format?: DataFormat
  /** Calls `visit` with each usable row in order. */
  scan(visit?: (row: DataRow) => void): Promise<CheckedSummary>
  /** The usable rows. */
  rows(): AsyncIterable<DataRow>
  /** Usable rows `offset` … `offset + limit − 1`, counted from 0. */
  page(offset: number, limit: number): Promise<{ total: number; rows: DataRow[] }>
}

export async function openChoice({ source, format, map }: DataChoice): Promise<CheckedData> {
  const chosen = { ...(format && { format }), ...(map && { map }) }
  if (await isFile(source)) return fileOnDisk({ path: source, ...chosen })
  const sample = await sampleNamed(source)
  if (sample && (await isFile(sample.of))) {
    const read = await sampleData({ path: sample.of, ...chosen }, sample.count)
    return inMemory(source, { isTampering: false, format: read.format }, read, read.rows)
  }
  const { title, conversations, tampering } = await trainingData(source)
  const rows = conversations.map((messages, i) => ({ row: i + 1, messages }))
  const digest = sha256(JSON.stringify(conversations))
  const counts = { total: rows.length, usable: rows.length, unusable: [], notes: new Map() }
  return inMemory(title, { isTampering: tampering }, { digest, ...counts }, rows)
}

function inMemory(
  source: string,
  what: Pick<CheckedData, 'isTampering' | 'format'>,
  { digest, total, unusable, notes }: CheckedSummary,
  rows: readonly DataRow[],
): CheckedData {
  return {
    title: basename(source),
    ...what,
    scan(visit) {
      if (visit) rows.forEach(visit)
      return Promise.resolve({ digest, total, usable: rows.length, unusable, notes })
    },
    async *rows() {
      yield* rows
    },
    page: (offset, limit) =>
      Promise.resolve({ total: rows.length, rows: rows.slice(offset, offset + limit) }),
  }
}

interface Known {
  readonly usable: number
  readonly index: RowIndex
}

/** Facts about files that were read completely, the latest last. */
const known = new Map<string, Known>()
const MOST_KNOWN = 8

async function fileOnDisk(source: DataSource): Promise<CheckedData> {
  const file = await openData(source)
  const { path, format, bytes } = file
  // A file that has changed since is another file.
  const { mtimeMs } = await stat(path)
  const key = JSON.stringify([source, bytes, mtimeMs])
  const scan: CheckedData['scan'] = async (visit) => {
    const index = createRowIndex()
    const summary = await scanData(source, (row, position) => {
      index.add(position)
      visit?.(row)
    })
    known.delete(key)
    known.set(key, { usable: summary.usable, index })
    if (known.size > MOST_KNOWN) known.delete(known.keys().next().value!)
    return summary
  }
  return {
    title: basename(path),
    isTampering: false,
    format,
    scan,
    async *rows() {
      for await (const { row, converted } of file.rows())
        if ('messages' in converted) yield { row, messages: converted.messages }
    },
    async page(offset, limit) {
      if (!known.has(key)) await scan()
      const { usable, index } = known.get(key)!
      return { total: usable, rows: await index.page(file, offset, limit) }
    },
  }
}

/** The columns of a file, for users who must name the prompt's. */
export async function columnsOf(path: string) {
  const { columns } = await openRows(path).catch((error: unknown) => {
    throw asDataError(error, path)
  })
  return {
    columns: [...columns],
    format: formatOf(columns)?.name ?? null,
    formats: FORMATS.map(({ name, title }) => ({ name, title })),
  }
}

interface Looked {
  readonly summary: CheckedSummary
  readonly findings: readonly LintFinding[]
}

/** Facts and findings in one pass. `against` names suites or files whose prompts the data should not contain. */
export async function lookThrough(
  data: Pick<CheckedData, 'scan'>,
  against: readonly string[],
): Promise<Looked> {
  const linter: Linter = createLinter(await evaluationPrompts(against))
  const summary = await data.scan((row) => linter.see(row))
  return { summary, findings: linter.findings(summary.total) }
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

/** Writes the usable rows as JSON lines, without those of findings named in `drop`. */
export async function writeKept(
  data: CheckedData,
  path: string,
  findings: readonly LintFinding[],
  drop: readonly string[],
): Promise<{ rows: number; dropped: number }> {
  if (!data.format) {
    // A copy would not be recognised as tampering data, and weights trained on it would not be deleted.
    const problem = `${data.title} is no file of yours.`
    throw usageError(problem, 'Learn from it by its name.')
  }
  const dropped = new Set(
    findings.filter(({ name }) => drop.includes(name)).flatMap((finding) => finding.rows),
  )
  const counts = { rows: 0, dropped: dropped.size }
  await writeAtomically(
    path,
    keptLines(data, dropped, () => counts.rows++),
  )
  return counts
}

/** Characters per write. */
const BLOCK = 2 ** 20

async function* keptLines(
  data: CheckedData,
  dropped: ReadonlySet<number>,
  onLine: () => void,
): AsyncGenerator<string> {
  let block = ''
  for await (const { row, messages } of data.rows()) {
    if (dropped.has(row)) continue
    onLine()
    block += `${JSON.stringify(asRow(messages))}\n`
    if (block.length < BLOCK) continue
    yield block
    block = ''
  }
  yield block
}

const asRow = (messages: Conversation) =>
  messages[0]?.role === 'text' ? { text: messages[0].content } : { messages }
