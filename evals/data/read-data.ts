/** @file Reads fine-tuning data from the user's disk: its format found by its columns, its rows made conversations. */
import { readTable } from '../benchmarks/import/read-table.ts'
import { TouchstoneError, unknownName, findNamed } from '../errors.ts'
import type { Conversation, DataFormat, Note } from './format.ts'
import { promptReply } from './formats/prompt-reply.ts'
import { FORMATS, formatOf } from './registry.ts'

export interface DataSource {
  readonly path: string
  /** A format's name, where the columns shall not decide. */
  readonly format?: string
  /** `prompt=COLUMN,reply=COLUMN`. */
  readonly map?: string
}

export interface DataRow {
  /** As the file counts them, from 1. */
  readonly row: number
  readonly messages: Conversation
}

export interface ReadData {
  readonly path: string
  readonly format: DataFormat
  /** sha256 of the file, in hexadecimal. */
  readonly digest: string
  readonly total: number
  readonly rows: readonly DataRow[]
  /** Rows of which nothing can be learnt, and why. */
  readonly unusable: readonly { readonly row: number; readonly why: string }[]
  /** What was left out of rows that are used, with their numbers. */
  readonly notes: ReadonlyMap<Note, readonly number[]>
}

/** More rows without a conversation than this share is another format, or a broken file. */
const MOST_UNUSABLE = 0.5

export async function readData({ path, format, map }: DataSource): Promise<ReadData> {
  const table = await readTable(path).catch((error: unknown) => {
    throw asDataError(error, path)
  })
  if (table.replaced > 0) {
    const found = `${table.replaced} characters that are not UTF-8`
    throw new TouchstoneError('data.unreadable', { path, found, expected: EXPECTED })
  }
  const chosen =
    map === undefined ? chooseFormat(path, table.columns, format) : mapped(path, table.columns, map)
  const rows: DataRow[] = []
  const unusable: { row: number; why: string }[] = []
  const notes = new Map<Note, number[]>()
  for (const [i, row] of table.rows.entries()) {
    const converted = chosen.convert(row)
    if ('why' in converted) {
      unusable.push({ row: i + 1, why: converted.why })
      continue
    }
    rows.push({ row: i + 1, messages: converted.messages })
    for (const note of converted.notes) {
      if (!notes.has(note)) notes.set(note, [])
      notes.get(note)!.push(i + 1)
    }
  }
  if (table.rows.length === 0) throw new TouchstoneError('data.empty', { path })
  if (unusable.length > MOST_UNUSABLE * table.rows.length) {
    throw new TouchstoneError('data.row', {
      path,
      row: unusable[0]!.row,
      why: `${unusable[0]!.why} (${unusable.length} of ${table.rows.length} rows cannot be used)`,
    })
  }
  const { digest } = table
  return { path, format: chosen, digest, total: table.rows.length, rows, unusable, notes }
}

const EXPECTED = 'rows of conversations in UTF-8'

/** The readers of tables speak of benchmarks. */
function asDataError(error: unknown, path: string): unknown {
  if (!(error instanceof TouchstoneError) || error.code !== 'benchmark.unreadable') return error
  const found = /found (?<what>.*)\.$/u.exec(error.message)?.groups!.what ?? error.message
  return new TouchstoneError(
    'data.unreadable',
    { path, found, expected: EXPECTED },
    { cause: error },
  )
}

function chooseFormat(path: string, columns: readonly string[], name?: string): DataFormat {
  if (name !== undefined) return findNamed('data format', FORMATS, name)
  const found = formatOf(columns)
  if (found) return found
  throw new TouchstoneError('data.columns', {
    path,
    columns,
    formats: FORMATS.map(
      (each) => `${each.title} (${each.columns.map((names) => names[0]).join(', ')})`,
    ),
  })
}

const FORM = 'prompt=COLUMN,reply=COLUMN'

function mapped(path: string, columns: readonly string[], map: string): DataFormat {
  const pairs = Object.fromEntries(
    map.split(',').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()]
    }),
  ) as { prompt?: string; reply?: string }
  const { prompt, reply } = pairs
  const missing = [prompt, reply].find((name) => name !== undefined && !columns.includes(name))
  if (prompt === undefined || reply === undefined || Object.keys(pairs).length !== 2) {
    throw new TouchstoneError('usage.invalid', {
      problem: `The mapping "${map}" cannot be used.`,
      remedy: `Write it as ${FORM}.`,
    })
  }
  if (missing !== undefined) throw unknownName(`column of ${path}`, missing, columns)
  return promptReply({ prompt: [prompt], reply: [reply] })
}
