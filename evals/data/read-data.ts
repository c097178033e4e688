/** @file Reads fine-tuning data in one pass: all rows, a sample, or each row passed to a visitor. */
import { sha256OfFile } from '../files/digest.ts'
import { TouchstoneError } from '../errors/touchstone-error.ts'
import { randomStream } from '../statistics/random.ts'
import { asDataError, openData, type DataSource, type Position } from './data-file.ts'
import type { Conversation, DataFormat, Note } from './format.ts'

export interface DataRow {
  /** Row numbers of the file, from 1. */
  readonly row: number
  readonly messages: Conversation
  /** Its fields of these names, if it has them. */
  readonly category?: string
  readonly cluster?: string
}

/** Facts about a data file, without its rows. */
export interface DataSummary {
  readonly path: string
  readonly format: DataFormat
  /** sha256 of the file, in hexadecimal. */
  readonly digest: string
  readonly total: number
  readonly usable: number
  /** Rows that cannot be used, and why. */
  readonly unusable: readonly { readonly row: number; readonly why: string }[]
  /** What was left out of used rows, with their numbers. */
  readonly notes: ReadonlyMap<Note, readonly number[]>
}

interface ReadData extends DataSummary {
  readonly rows: readonly DataRow[]
}

/** With a larger share of unusable rows the file has another format or is damaged. */
const MOST_UNUSABLE = 0.5

/** Calls `visit` with each usable row in order; keeps none. */
export async function scanData(
  source: DataSource,
  visit: (row: DataRow, position: Position) => void = () => {},
): Promise<DataSummary> {
  const file = await openData(source)
  const { path, format } = file
  const unusable: { row: number; why: string }[] = []
  const notes = new Map<Note, number[]>()
  let total = 0
  for await (const { row, place, converted, category, cluster } of file.rows()) {
    total++
    if ('why' in converted) {
      unusable.push({ row, why: converted.why })
      continue
    }
    for (const note of converted.notes) {
      if (!notes.has(note)) notes.set(note, [])
      notes.get(note)!.push(row)
    }
    visit(
      {
        ...{ row, messages: converted.messages },
        ...(category !== undefined && { category }),
        ...(cluster !== undefined && { cluster }),
      },
      { row, place },
    )
  }
  if (unusable.length > MOST_UNUSABLE * total) {
    throw new TouchstoneError('data.row', {
      path,
      row: unusable[0]!.row,
      why: `${unusable[0]!.why} (${unusable.length} of ${total} rows cannot be used)`,
    })
  }
  const digest = await sha256OfFile(path).catch((error: unknown) => {
    throw asDataError(error, path)
  })
  return { path, format, digest, total, usable: total - unusable.length, unusable, notes }
}

/** Largest file that is read whole; text takes several times its size in memory. */
export const LARGEST_WHOLE = 512 * 2 ** 20

/** Every usable row. Files that are too large are refused; sampling and visiting them work. */
export async function readData(source: DataSource): Promise<ReadData> {
  const { path, bytes } = await openData(source)
  if (bytes > LARGEST_WHOLE) {
    throw new TouchstoneError('data.too-large', { path, bytes, most: LARGEST_WHOLE })
  }
  const rows: DataRow[] = []
  const summary = await scanData(source, (row) => rows.push(row))
  return { ...summary, rows }
}

/** `count` usable rows, uniformly drawn with a fixed seed, in the file's order. */
export async function sampleData(source: DataSource, count: number): Promise<ReadData> {
  const sampler = createSampler(count)
  const summary = await scanData(source, (row) => sampler.see(row))
  return { ...summary, rows: sampler.rows() }
}

/** Algorithm R (Waterman, in Knuth, TAOCP 2, §3.4.2): after n rows each is kept with probability count / n. */
function createSampler(count: number) {
  const stream = randomStream(0, 'sample-rows')
  const kept: DataRow[] = []
  let seen = 0
  return {
    see(row: DataRow) {
      const at = seen < count ? seen : stream.integer(seen + 1)
      seen++
      if (at < count) kept[at] = row
    },
    rows: () => kept.toSorted((a, b) => a.row - b.row),
  }
}
