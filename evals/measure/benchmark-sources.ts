/** @file Resolves a suite to benchmarks: bundled ones by name, the user's files by path. */
import { existsSync } from 'node:fs'
import { GREEDY, type AskedContext, type Decoding, type Sample } from '../contract/rows.ts'
import type { Looks } from '../contract/gate/stopping.ts'
import { TouchstoneError, usageError } from '../errors/touchstone-error.ts'
import type { Benchmark } from '../benchmarks/benchmark.ts'
import { loadFile, type LoadedFile } from '../benchmarks/import/load-file.ts'
import { mappingFor } from '../benchmarks/import/mapping.ts'
import { overlap, promptHashes } from '../benchmarks/import/overlap.ts'
import { benchmarksOf } from '../benchmarks/import/recognise.ts'
import { loadBundled } from '../benchmarks/bundled/load-bundled.ts'
import { BUNDLED, findBundled, SUITES } from '../benchmarks/registry.ts'
import type { Ask } from './ask.ts'
import type { EvaluationConfig } from './config.ts'
import { textPathOf } from './perplexity.ts'

export interface PreparedBenchmark {
  readonly benchmark: Benchmark
  /** How replies are drawn; options are scored once instead. */
  readonly decoding: Decoding
  readonly samples: readonly Sample[]
  /** In which they are put; absent for the prompts as they are. */
  readonly context?: AskedContext
  /** Absent where every prompt is asked at once. */
  readonly looks?: Looks
  /** The file it was read from; absent for bundled ones. */
  readonly source?: Omit<LoadedFile, 'benchmarks'>
  /** Scores of the options, of a network whose outputs are none. */
  readonly read?: (ask: Ask, texts: readonly string[]) => Promise<readonly (readonly number[])[]>
}

type SuiteChoice = Pick<EvaluationConfig, 'suite' | 'limit' | 'map' | 'maxNewTokens'> &
  Partial<DecodingChoice>

type DecodingChoice = Pick<
  EvaluationConfig,
  'samples' | 'temperature' | 'decodingSeed' | 'maxThinkingTokens'
>

/** Default temperature for several replies per prompt. */
const USUAL_TEMPERATURE = 0.7

export function chosenDecoding({
  samples = 1,
  temperature = null,
  decodingSeed = 0,
  maxThinkingTokens = null,
}: Partial<DecodingChoice>): Decoding {
  const chosen = temperature ?? (samples > 1 ? USUAL_TEMPERATURE : 0)
  if (samples > 1 && chosen === 0) {
    throw usageError(
      `At temperature 0 all ${samples} samples of a prompt would be the same reply.`,
      'Give a --temperature above 0, or leave --samples out.',
    )
  }
  const drawn = chosen === 0 ? GREEDY : { samples, temperature: chosen, seed: decodingSeed }
  return maxThinkingTokens === null ? drawn : { ...drawn, maxThinkingTokens }
}

/** What a row says of its prompt; in a context that is what differs from sample to sample. */
export const promptOf = (
  { context }: Pick<PreparedBenchmark, 'context'>,
  { messages }: Sample,
): string =>
  context
    ? (messages.findLast(({ role }) => role === 'user')?.content ?? '')
    : messages.map(({ content }) => content).join('\n')

/** Number of replies that a benchmark needs. */
export const repliesOf = ({ samples, decoding }: PreparedBenchmark): number =>
  samples.length * decoding.samples

export const hasValues = (samples: readonly Sample[]) =>
  samples.some(({ expected }) => expected.kind === 'values')

export const hasOptions = (samples: readonly Sample[]) =>
  samples.some(({ expected }) => expected.kind === 'choice')

/** Bundled benchmarks in the registry's order, each once, then the user's files in the order given; without texts. */
export async function prepareBenchmarks({
  suite: entries,
  limit,
  map,
  maxNewTokens,
  ...choice
}: SuiteChoice): Promise<PreparedBenchmark[]> {
  const decoding = chosenDecoding(choice)
  const suites: Readonly<Record<string, readonly string[]>> = SUITES
  const suite = entries.filter((entry) => textPathOf(entry) === undefined)
  const files = suite.flatMap((name) => fileOf(name) ?? [])
  const named = suite.filter((name) => fileOf(name) === undefined)
  const names = new Set(named.flatMap((name) => suites[name] ?? [bundledName(name)]))
  const bundled = BUNDLED.filter(({ name }) => names.has(name)).map(async (benchmark) => ({
    benchmark: atMost(benchmark, maxNewTokens),
    samples: await loadBundled(benchmark),
  }))
  const imported = files.map((file) => importFile(file, map, maxNewTokens))
  const all = [...(await Promise.all(bundled)), ...(await Promise.all(imported)).flat()]
  refuseTwice(all)
  return all.map((prepared) => ({
    ...prepared,
    samples: spread(prepared.samples, limit),
    decoding: hasOptions(prepared.samples) ? GREEDY : decoding,
  }))
}

type Loaded = Omit<PreparedBenchmark, 'decoding'>

interface FileChoice {
  readonly path: string
  readonly family?: string
}

/** `xstest=PATH`, or anything that is or looks like a path. */
function fileOf(entry: string): FileChoice | undefined {
  const forced = /^(?<family>[a-z0-9-]+)=(?<path>.+)$/u.exec(entry)?.groups
  if (forced) return { family: forced['family']!, path: forced['path']! }
  return /[/\\]|\.(csv|json|jsonl|ndjson|parquet)$/iu.test(entry) || existsSync(entry)
    ? { path: entry }
    : undefined
}

function bundledName(name: string): string {
  if (benchmarksOf(name).length > 0) throw new TouchstoneError('benchmark.needs-file', { name })
  return findBundled(name).name
}

const atMost = (benchmark: Benchmark, maxNewTokens: number | null): Benchmark =>
  maxNewTokens === null ? benchmark : { ...benchmark, maxNewTokens }

async function importFile(
  choice: FileChoice,
  map: string | null,
  maxNewTokens: number | null,
): Promise<Loaded[]> {
  const isKnown = choice.family !== undefined && benchmarksOf(choice.family).length > 0
  const mapping = map === null || isKnown ? undefined : mappingFor(map, choice.path)
  const { benchmarks, ...source } = await loadFile({
    ...choice,
    ...(mapping && { mapping }),
  })
  if (benchmarks.length === 0) {
    const found = ['no row that can be asked', ...source.leftOut.map(({ why }) => why)].join(': ')
    throw new TouchstoneError('benchmark.unreadable', { path: choice.path, found })
  }
  return benchmarks.map(({ benchmark, samples }) => ({
    benchmark: atMost(benchmark, maxNewTokens),
    samples,
    source,
  }))
}

function refuseTwice(prepared: readonly Loaded[]): void {
  const names = prepared.map(({ benchmark }) => benchmark.name)
  const twice = names.find((name, i) => names.indexOf(name) < i)
  if (twice === undefined) return
  throw usageError(
    `Two files of the suite are both read as ${twice}.`,
    'Name one of them, or evaluate them in two runs.',
  )
}

/** What a run records of the files it reads: identity and overlap, no prompt. */
export function sourceNotes(prepared: readonly PreparedBenchmark[]): string[] {
  const imported = prepared.filter(({ source }) => source !== undefined)
  const identities = imported.map(({ benchmark, samples, source }) => {
    const { table, rows, licences, leftOut } = source!
    const licence = licences.length > 0 ? `licence ${licences.join(', ')}` : 'no licence stated'
    const scars = table.replaced > 0 ? `; ${table.replaced} broken characters` : ''
    return `${benchmark.name}: ${samples.length} prompts from ${rows} rows of ${table.path}, sha256 ${table.digest}, ${licence}${scars}${benchmark.reading ? `; ${benchmark.reading}` : ''}${leftOut.map(leftOutText).join('')}`
  })
  return [...identities, ...overlapNotes(imported)]
}

const leftOutText = ({ rows, why }: LoadedFile['leftOut'][number]) =>
  `; ${rows} rows left out: ${why}`

function overlapNotes(imported: readonly PreparedBenchmark[]): string[] {
  const hashed = imported.map(({ benchmark, samples }) => ({
    name: benchmark.name,
    hashes: promptHashes(samples),
  }))
  return hashed.flatMap((a, i) =>
    hashed.slice(i + 1).flatMap((b) => {
      const shared = overlap(a.hashes, b.hashes)
      return shared === 0 ? [] : [`${a.name} and ${b.name} share ${shared} prompts`]
    }),
  )
}

/** `limit` rows, evenly spread over the file, so that every category in blocks is included. */
export function spread<T>(rows: readonly T[], limit: number | null): readonly T[] {
  if (limit === null || limit >= rows.length) return rows
  return Array.from({ length: limit }, (_, i) => rows[Math.floor((i * rows.length) / limit)]!)
}
