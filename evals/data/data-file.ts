/** @file Opens a file of fine-tuning data. Its format is recognised by its columns or named; rows are converted as they are read. */
import { openRows } from '../tables/rows/open-rows.ts'
import type { Place } from '../tables/rows/row-file.ts'
import { isError, TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import { unknownName, findNamed } from '../errors/names.ts'
import type { Converted, DataFormat } from './format.ts'
import { promptReply } from './formats/prompt-reply.ts'
import { rawText } from './formats/raw-text.ts'
import { FORMATS, formatOf } from './registry.ts'

export interface DataSource {
  readonly path: string
  /** A format's name, if the columns are not to decide. */
  readonly format?: string
  /** `prompt=COLUMN,reply=COLUMN` or `text=COLUMN`. */
  readonly map?: string
}

/** A row's number, from 1, and the position in the file from which it can be read. */
export interface Position {
  readonly row: number
  readonly place: Place
}

interface ReadRow extends Position {
  readonly converted: Converted
  /** What the row says of its kind, in any format. */
  readonly category: string | undefined
  /** What it says to come from: a template, a document, a conversation. */
  readonly cluster: string | undefined
}

export interface DataFile {
  readonly path: string
  readonly bytes: number
  readonly format: DataFormat
  /** In the file's order, from `position` on. */
  rows(position?: Position): AsyncGenerator<ReadRow>
}

const BEGINNING: Position = { row: 1, place: 0 }

export async function openData({ path, format: name, map }: DataSource): Promise<DataFile> {
  const file = await openRows(path).catch((error: unknown) => {
    throw asDataError(error, path)
  })
  const { columns, bytes } = file
  const format = map === undefined ? chooseFormat(path, columns, name) : mapped(path, columns, map)
  return {
    path,
    bytes,
    format,
    async *rows({ row: first, place: start } = BEGINNING) {
      let number = first
      try {
        for await (const { row, place } of file.rows(start))
          yield {
            row: number++,
            place,
            converted: format.convert(row),
            category: typeof row.category === 'string' ? row.category : undefined,
            cluster: nameIn(row.cluster),
          }
      } catch (error) {
        throw asDataError(error, path)
      }
    },
  }
}

const nameIn = (value: unknown): string | undefined =>
  (typeof value === 'string' && value !== '') || typeof value === 'number'
    ? String(value)
    : undefined

const EXPECTED = 'rows of conversations in UTF-8'

/** Errors of table readers name benchmarks; here they name data. */
export function asDataError(error: unknown, path: string): unknown {
  if (!isError(error, 'benchmark.unreadable')) return error
  const values = { path, found: error.values.found, expected: EXPECTED }
  return new TouchstoneError('data.unreadable', values, { cause: error })
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

/** The parts that a mapping may name together, and the format that results. */
const MAPPINGS: readonly {
  readonly parts: readonly string[]
  readonly format: (columns: readonly string[]) => DataFormat
}[] = [
  {
    parts: ['prompt', 'reply'],
    format: ([prompt, reply]) => promptReply({ prompt: [prompt!], reply: [reply!] }),
  },
  { parts: ['text'], format: ([text]) => rawText(text) },
]
const FORMS = MAPPINGS.map(({ parts }) => parts.map((part) => `${part}=COLUMN`).join(',')).join(
  ' or ',
)

function mapped(path: string, columns: readonly string[], map: string): DataFormat {
  const pairs = new Map(
    map.split(',').map((pair) => {
      const at = pair.indexOf('=')
      return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()]
    }),
  )
  const mapping = MAPPINGS.find(
    ({ parts }) => parts.length === pairs.size && parts.every((part) => pairs.has(part)),
  )
  if (!mapping) {
    throw usageError(`The mapping "${map}" cannot be used.`, `Write it as ${FORMS}.`)
  }
  const named = mapping.parts.map((part) => pairs.get(part)!)
  const missing = named.find((name) => !columns.includes(name))
  if (missing !== undefined) throw unknownName(`column of ${path}`, missing, columns)
  return mapping.format(named)
}
