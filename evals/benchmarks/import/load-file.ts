/** @file From a path on the user’s disk to the benchmarks in it, every row checked. */
import { existsSync } from 'node:fs'
import { basename } from 'node:path'
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import type { Sample } from '../../contract/rows.ts'
import type { Benchmark } from '../benchmark.ts'
import { EXAMPLE, FILE_STEM } from './examples.ts'
import { mappedBenchmarks, suggestedMap, usualMapping } from './mapping.ts'
import type { Mapping } from './own.ts'
import { readTable, type ReadTable } from '../../tables/read-table.ts'
import { benchmarksOf, familiesOf, missingColumns, recognise } from './recognise.ts'
import { IMPORTABLE } from '../registry.ts'
import { readSource, type Source } from './subject-folder.ts'
import type { Row } from '../../tables/table.ts'

interface ImportRequest {
  readonly path: string
  /** `xstest=PATH`: this benchmark, whatever the columns say. */
  readonly family?: string
  /** For files that are no benchmark’s. */
  readonly mapping?: Mapping
}

export interface LoadedFile {
  readonly table: Pick<ReadTable, 'path' | 'bytes' | 'digest' | 'format' | 'columns' | 'replaced'>
  readonly rows: number
  /** Values of a licence column, at most a few; empty where the file states none. */
  readonly licences: readonly string[]
  /** Rows that are no prompts, and why. */
  readonly leftOut: readonly { readonly why: string; readonly rows: number }[]
  readonly benchmarks: readonly { benchmark: Benchmark; samples: readonly Sample[] }[]
}

export async function loadFile(request: ImportRequest): Promise<LoadedFile> {
  const table = await readSource(request.path)
  const benchmarks = choose(request, table)
  const rows = await withExamples(table, benchmarks)
  const reasons: string[] = []
  const { path, bytes, digest, format, columns, replaced } = table
  return {
    table: { path, bytes, digest, format, columns, replaced },
    rows: table.rows.length,
    licences: licencesOf(table),
    benchmarks: benchmarks
      .map((benchmark) => {
        const { samples, leftOut } = samplesOf(benchmark, rows, path)
        reasons.push(...leftOut)
        return { benchmark, samples }
      })
      .filter(({ samples }) => samples.length > 0),
    leftOut: [...Map.groupBy(reasons, (why) => why)].map(([why, all]) => ({
      why,
      rows: all.length,
    })),
  }
}

function choose({ family, mapping }: ImportRequest, table: ReadTable): readonly Benchmark[] {
  const { path, columns } = table
  const isName = family !== undefined && benchmarksOf(family).length === 0
  const own = mapping ?? usualMapping(columns)
  if (mapping !== undefined) return mappedBenchmarks(mapping, table, family)
  // `NAME=PATH` where the name is no benchmark's gives the user's own rows that name.
  if (isName && own) return mappedBenchmarks(own, table, family)
  if (family !== undefined) return forced(family, table)
  const known = recognise(table)
  if (known.kind === 'found') return known.benchmarks
  if (own) return mappedBenchmarks(own, table)
  if (known.kind === 'near') {
    throw new TouchstoneError('benchmark.columns', { path, ...known, columns })
  }
  if (known.kind === 'ambiguous') {
    throw new TouchstoneError('benchmark.ambiguous', { path, families: known.families })
  }
  throw new TouchstoneError('benchmark.unknown', { path, columns, map: suggestedMap(columns) })
}

function forced(family: string, { path, columns }: ReadTable): readonly Benchmark[] {
  const benchmarks = benchmarksOf(family)
  if (benchmarks.length === 0) throw unknownName('benchmark', family, familiesOf(IMPORTABLE))
  const missing = missingColumns(family, columns)
  if (missing.length === 0) return benchmarks
  throw new TouchstoneError('benchmark.columns', { path, family, missing, columns })
}

/** Solved examples first, each marked; where a benchmark needs them and they are nowhere, that is an error. */
async function withExamples(
  table: Source,
  benchmarks: readonly Benchmark[],
): Promise<readonly Row[]> {
  if (table.examples) return [...table.examples, ...table.rows]
  const places = benchmarks.flatMap(({ file }) => (file?.examples ? [file.examples] : []))
  if (places.length === 0) return table.rows
  const stem = basename(table.path).replace(/\.\w+$/, '')
  const own = table.rows.map((row) => ({ ...row, [FILE_STEM]: stem }))
  const wanted = places.flatMap((place) => place(table.path))
  const path = wanted.find((candidate) => existsSync(candidate))
  if (path === undefined) {
    throw new TouchstoneError('benchmark.examples', { path: table.path, wanted })
  }
  const { rows } = await readTable(path)
  return [...rows.map((row) => ({ ...row, [EXAMPLE]: true, [FILE_STEM]: stem })), ...own]
}

/** The samples of checked rows. Throws benchmark.row, which names the row and the column and quotes nothing. */
export function samplesOf(
  benchmark: Benchmark,
  rows: readonly Row[],
  path: string,
): { samples: Sample[]; leftOut: string[] } {
  const parsed = rows.map((row, i) => {
    const result = benchmark.row.safeParse(row)
    if (result.success) return result.data
    const [issue] = result.error.issues
    const field = issue!.path.join('.')
    const why = field === '' ? issue!.message : `${field}: ${issue!.message}`
    throw new TouchstoneError('benchmark.row', { path, row: i + 1, why })
  })
  const reasons = parsed.map((row) => benchmark.leaveOut?.(row))
  const kept = parsed.flatMap((row, i) => (reasons[i] === undefined ? [{ row, place: i + 1 }] : []))
  const samplesIn = (count: number) => benchmark.parse(kept.slice(0, count).map(({ row }) => row))
  const samples = samplesIn(kept.length)
  if (samples.some(({ expected }) => expected.kind === 'choice' && expected.options.length < 2))
    throw new TouchstoneError('benchmark.one-label', { path })
  const id = idTwiceIn(samples)
  if (id !== undefined) {
    // A sample does not say its row: the first `low` rows hold no identifier twice, the first `high` do.
    let [low, high] = [0, kept.length]
    while (high - low > 1) {
      const middle = Math.floor((low + high) / 2)
      if (idTwiceIn(samplesIn(middle)) === undefined) low = middle
      else high = middle
    }
    const why = `the identifier "${id}" stands twice`
    throw new TouchstoneError('benchmark.row', { path, row: kept[high - 1]!.place, why })
  }
  return { samples, leftOut: reasons.filter((why) => why !== undefined) }
}

function idTwiceIn(samples: readonly Sample[]): string | undefined {
  const ids = new Set<string>()
  return samples.find(({ id }) => ids.size === ids.add(id).size)?.id
}

const MOST_LICENCES = 4

function licencesOf({ columns, rows }: ReadTable): string[] {
  const column = columns.find((name) => /^licen[cs]e$/i.test(name))
  if (column === undefined) return []
  const values = new Set<string>()
  for (const row of rows) {
    values.add(String(row[column]))
    if (values.size === MOST_LICENCES) break
  }
  return [...values]
}
