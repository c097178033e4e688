/**
 * @file A folder of MMLU as one set: `SUBJECT_test.csv` of every subject, and `SUBJECT_dev.csv` with its solved questions beside
 * them, or in `test` and `dev`. Its digest is over the digests of its files.
 */
import { sha256 } from '../../files/digest.ts'
import { readdir, stat } from 'node:fs/promises'
import { basename, join } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { EXAMPLE, FILE_STEM } from './examples.ts'
import { readTable, type ReadTable } from '../../tables/read-table.ts'
import type { Row } from '../../tables/table.ts'
import { unreadable } from '../../tables/text.ts'

export interface Source extends ReadTable {
  /** The solved examples, where the source brings its own; rows then say which file they are of. */
  readonly examples?: readonly Row[]
}

/** The rows at `path`: a file, or a folder of subjects. */
export async function readSource(path: string): Promise<Source> {
  const isFolder = await stat(path).then(
    (found) => found.isDirectory(),
    () => false,
  )
  return isFolder ? readSubjects(path) : readTable(path)
}

const TEST = /_test\.csv$/

async function readSubjects(folder: string): Promise<Source> {
  const places = [join(folder, 'test'), folder]
  const listed = await Promise.all(places.map((place) => readdir(place).catch(() => [])))
  const at = listed.findIndex((names) => names.some((name) => TEST.test(name)))
  if (at < 0) throw unreadable(folder, 'a folder without SUBJECT_test.csv')
  const tests = listed[at]!.filter((name) => TEST.test(name)).sort()
  const files: { test: ReadTable; dev: ReadTable }[] = []
  for (const name of tests) {
    const test = await readTable(join(places[at]!, name))
    files.push({ test, dev: await readTable(await devOf(folder, places[at]!, name)) })
  }
  const odd = files.find(({ test }) => String(test.columns) !== String(files[0]!.test.columns))
  if (odd) throw unreadable(odd.test.path, 'other columns than in the files beside it')
  const every = files.flatMap(({ test, dev }) => [test, dev])
  return {
    path: folder,
    format: 'csv',
    columns: files[0]!.test.columns,
    bytes: sum(every, ({ bytes }) => bytes),
    replaced: sum(every, ({ replaced }) => replaced),
    digest: digestOf(every),
    rows: files.flatMap(({ test }) => marked(test, false)),
    examples: files.flatMap(({ dev }) => marked(dev, true)),
  }
}

async function devOf(folder: string, place: string, test: string): Promise<string> {
  const dev = test.replace(TEST, '_dev.csv')
  const wanted = [join(folder, 'dev', dev), join(place, dev)]
  for (const path of wanted) {
    if (await stat(path).catch(() => undefined)) return path
  }
  throw new TouchstoneError('benchmark.examples', { path: join(place, test), wanted })
}

const marked = ({ path, rows }: ReadTable, isExample: boolean): Row[] => {
  const stem = basename(path).replace(/\.csv$/, '')
  return rows.map((row) => ({ ...row, [FILE_STEM]: stem, [EXAMPLE]: isExample }))
}

const sum = (tables: readonly ReadTable[], value: (table: ReadTable) => number) =>
  tables.reduce((total, table) => total + value(table), 0)

function digestOf(tables: readonly ReadTable[]): string {
  const lines = tables.map(({ path, digest }) => `${digest}  ${basename(path)}\n`).sort()
  return sha256(lines.join(''))
}
