/** @file Describes a file of the user's: benchmark, rows, digests, categories, overlap, licence. It quotes no prompt except the first few of a mapping. */
import type { BenchmarkFile } from '../contract/evidence.ts'
import type { Expected } from '../contract/rows.ts'
import { benchmarkDigest } from '../benchmarks/bundled/load-bundled.ts'
import { loadFile, type LoadedFile } from '../benchmarks/import/load-file.ts'
import { parseMapping } from '../benchmarks/import/mapping.ts'
import { overlap, promptHashes } from '../benchmarks/import/overlap.ts'
import { readSource } from '../benchmarks/import/subject-folder.ts'
import { describeText, textName, type TextFile } from '../tables/text-file.ts'
import { isJudgeComparison, judgePanel, type JudgePanel } from './judge-panel.ts'
import { isTextPath, PERPLEXITY } from './perplexity.ts'
import { clustersAmong, type SampleClusters } from './sample-clusters.ts'

interface FileRequest {
  readonly path: string
  readonly family: string | null
  readonly map: string | null
}

export interface FoundBenchmark {
  readonly file: BenchmarkFile
  readonly role: string
  /** How 1 and 0 of a label column were read; null where there are none. */
  readonly reading: string | null
  /** Number of prompts per category, in the file's order. */
  readonly categories: Readonly<Record<string, number>>
  /** Null for a text, which has no prompts. */
  readonly clusters: SampleClusters | null
  readonly overlaps: readonly { name: string; shared: number }[]
}

/** A row as a mapping reads it. */
interface MappedRow {
  readonly benchmark: string
  readonly category: string
  readonly expected: Expected['kind']
  readonly prompt: string
}

/** Facts about a file in any format. */
type FileIdentity = Pick<LoadedFile['table'], 'path' | 'bytes' | 'digest' | 'columns' | 'replaced'>

export interface FileDescription {
  readonly table: FileIdentity & { readonly format: LoadedFile['table']['format'] | 'text' }
  readonly rows: number
  readonly leftOut: LoadedFile['leftOut']
  readonly benchmarks: readonly FoundBenchmark[]
  /** A few mapped rows, to check the mapping; empty if the columns are known. */
  readonly preview: readonly MappedRow[]
  /** If the file compares judges with people and is not a benchmark. */
  readonly panel: JudgePanel | null
  /** If the file is a text, for perplexity. */
  readonly text: Pick<TextFile, 'words' | 'textBytes'> | null
}

/** `known`: files read before; `now`: milliseconds since 1970. */
export async function describeFile(
  { path, family, map }: FileRequest,
  known: readonly BenchmarkFile[],
  now = Date.now(),
): Promise<FileDescription> {
  if (map === null && (family === PERPLEXITY || (family === null && isTextPath(path))))
    return describedText(await describeText(path), now)
  if (family === null && map === null) {
    const table = await readSource(path)
    if (isJudgeComparison(table.columns)) {
      const { rows, ...rest } = table
      const panel = judgePanel(table)
      const none = { leftOut: [], benchmarks: [], preview: [] }
      return { table: rest, rows: rows.length, ...none, panel, text: null }
    }
  }
  const loaded = await loadFile({
    path,
    ...(family === null ? {} : { family }),
    ...(map === null ? {} : { mapping: parseMapping(map) }),
  })
  return {
    table: loaded.table,
    rows: loaded.rows,
    leftOut: loaded.leftOut,
    benchmarks: found(loaded, known, now),
    preview: map === null ? [] : previewOf(loaded),
    panel: null,
    text: null,
  }
}

const PREVIEWED_ROWS = 3
const PREVIEWED_LENGTH = 500

/** The first rows of each benchmark, shortened. */
const previewOf = ({ benchmarks }: LoadedFile): MappedRow[] =>
  benchmarks.flatMap(({ benchmark, samples }) =>
    samples.slice(0, PREVIEWED_ROWS).map(({ category, expected, messages }) => ({
      benchmark: benchmark.name,
      category,
      expected: expected.kind,
      prompt: messages.map(({ content }) => content.slice(0, PREVIEWED_LENGTH)).join(' '),
    })),
  )

function describedText(text: TextFile, now: number): FileDescription {
  const { path, bytes, digest, words, textBytes } = text
  const file: BenchmarkFile = {
    name: textName(path),
    digest,
    path,
    fileDigest: digest,
    rows: 1,
    samples: 1,
    licences: [],
    promptHashes: [],
    importedAt: now,
  }
  return {
    table: { path, bytes, digest, columns: [], replaced: 0, format: 'text' },
    rows: 1,
    leftOut: [],
    preview: [],
    panel: null,
    text: { words, textBytes },
    benchmarks: [
      { file, role: 'capability', reading: null, categories: {}, clusters: null, overlaps: [] },
    ],
  }
}

function found(
  { table, rows, licences, benchmarks }: LoadedFile,
  known: readonly BenchmarkFile[],
  now: number,
): FoundBenchmark[] {
  const files = benchmarks.map(({ benchmark, samples }): BenchmarkFile => ({
    name: benchmark.name,
    digest: benchmarkDigest(samples),
    path: table.path,
    fileDigest: table.digest,
    rows,
    samples: samples.length,
    licences: [...licences],
    promptHashes: [...promptHashes(samples)],
    importedAt: now,
  }))
  return files.map((file, i) => {
    const { benchmark, samples } = benchmarks[i]!
    const counts = [...Map.groupBy(samples, ({ category }) => category)]
    const own = new Set(file.promptHashes)
    const others = [...known, ...files].filter((other) => other.name !== file.name)
    const overlaps = others
      .map(({ name, promptHashes: hashes }) => ({ name, shared: overlap(own, new Set(hashes)) }))
      .filter(({ shared }) => shared > 0)
    return {
      file,
      role: benchmark.role,
      reading: benchmark.reading ?? null,
      categories: Object.fromEntries(counts.map(([name, group]) => [name, group.length])),
      clusters: clustersAmong(samples),
      overlaps,
    }
  })
}
