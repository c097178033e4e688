/** @file Which benchmark a file is, by its columns; where two have the same ones, by its name. */
import { basename } from 'node:path'
import type { Benchmark } from '../benchmark.ts'
import { IMPORTABLE } from '../registry.ts'

type Recognition =
  /** Every benchmark that is read from this file. */
  | { readonly kind: 'found'; readonly family: string; readonly benchmarks: readonly Benchmark[] }
  | { readonly kind: 'ambiguous'; readonly families: readonly string[] }
  /** Nearly `family`: it lacks these columns. */
  | { readonly kind: 'near'; readonly family: string; readonly missing: readonly string[] }
  | { readonly kind: 'unknown' }

interface Header {
  readonly path: string
  readonly columns: readonly string[]
}

/** Columns that say nothing: what programs write before the first one. */
const ROW_NUMBERS: ReadonlySet<string> = new Set(['', 'id', 'index', 'Unnamed: 0'])

export function recognise(header: Header): Recognition {
  const fits = IMPORTABLE.map((benchmark) => ({ benchmark, columns: matched(benchmark, header) }))
  const most = Math.max(...fits.map(({ columns }) => columns))
  if (most === 0) return nearest(header)
  const best = fits.filter(({ columns }) => columns === most).map(({ benchmark }) => benchmark)
  const families = familiesOf(best)
  if (families.length === 1) return found(families[0]!)
  const name = basename(header.path)
  const named = familiesOf(best.filter(({ file }) => file!.fileName?.test(name)))
  return named.length === 1 ? found(named[0]!) : { kind: 'ambiguous', families }
}

const found = (family: string): Recognition => ({
  kind: 'found',
  family,
  benchmarks: benchmarksOf(family),
})

export const benchmarksOf = (family: string): Benchmark[] =>
  IMPORTABLE.filter(({ file }) => file!.family === family)

export const familiesOf = (benchmarks: readonly Benchmark[]): string[] => [
  ...new Set(benchmarks.map(({ file }) => file!.family)),
]

/** How many of its columns the file has where it has all of them, else 0. */
function matched({ file }: Benchmark, { columns }: Header): number {
  const present = new Set(columns)
  const { exact = false, columns: alternatives } = file!
  const sizes = alternatives
    .filter((wanted) => wanted.every((column) => present.has(column)))
    .filter((wanted) => !exact || columns.every((c) => wanted.includes(c) || ROW_NUMBERS.has(c)))
    .map((wanted) => wanted.length)
  return Math.max(0, ...sizes)
}

/** What a family's file lacks, by the alternative of which most is there. */
export function missingColumns(family: string, columns: readonly string[]): string[] {
  const present = new Set(columns)
  const lacking = benchmarksOf(family)
    .flatMap(({ file }) => file!.columns)
    .map((wanted) => wanted.filter((column) => !present.has(column)))
  return lacking.reduce((least, each) => (each.length < least.length ? each : least))
}

/** The family of which the largest share of columns is there, in whatever case; at least half, and at least two. */
function nearest({ columns }: Header): Recognition {
  const lower = new Set(columns.map((name) => name.toLowerCase()))
  const shares = IMPORTABLE.flatMap(({ file }) =>
    file!.columns.map((wanted) => {
      const there = wanted.filter((column) => lower.has(column.toLowerCase())).length
      return { family: file!.family, there, share: there / wanted.length }
    }),
  ).filter(({ there, share }) => there >= 2 && share >= 0.5)
  if (shares.length === 0) return { kind: 'unknown' }
  const { family } = shares.reduce((best, each) => (each.share > best.share ? each : best))
  const missing = missingColumns(family, columns)
  return missing.length > 0 ? { kind: 'near', family, missing } : { kind: 'unknown' }
}
