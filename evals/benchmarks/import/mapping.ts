/**
 * @file The user's own rows as benchmarks, by their usual columns or by `--map prompt=COL,expected=refuse`: prompts or whole
 * conversations to refuse or to answer, questions with accepted answers, and questions with options.
 */
import { basename } from 'node:path'
import { usageError } from '../../errors/touchstone-error.ts'
import { unknownName } from '../../errors/names.ts'
import type { Benchmark } from '../benchmark.ts'
import { byPlace } from '../prompt-benchmark.ts'
import type { Row } from '../../tables/table.ts'
import { labelsOf } from './labels.ts'
import { Mapped, ownBenchmark, type Mapping, type OwnKind } from './own.ts'

const FORM =
  'prompt=COLUMN (or messages=, question=) with expected=refuse, expected=answer, label=COLUMN or answer=COLUMN; also refuse=1 or refuse=0 (which of a label’s values is to be refused), category=, cluster=, choices=, example= and title='

export function parseMapping(text: string): Mapping {
  const pairs = text.split(',').map((pair) => {
    const at = pair.indexOf('=')
    return [pair.slice(0, Math.max(0, at)).trim(), pair.slice(at + 1).trim()] as const
  })
  const parsed = Mapped.safeParse(Object.fromEntries(pairs))
  if (parsed.success && new Set(pairs.map(([key]) => key)).size === pairs.length) return parsed.data
  throw usageError(`The mapping "${text}" cannot be used.`, `Write it as ${FORM}.`)
}

/** `FILE:MAPPING; FILE:MAPPING`, or one mapping for every file that is not named. */
export function mappingFor(text: string, path: string): Mapping | undefined {
  const parts = text.split(';').map((part) => {
    const named = /^\s*(?<file>[^=,]+):(?<rest>[a-z]+=.*)$/su.exec(part)?.groups
    return { file: named?.['file'], mapping: named?.['rest'] ?? part }
  })
  const own =
    parts.find(({ file }) => file === path || file === basename(path)) ??
    parts.find(({ file }) => file === undefined)
  return own && parseMapping(own.mapping)
}

const LETTERS = ['A', 'B'] as const

/** By the names that people give such columns; undefined where it does not say what is expected. */
export function usualMapping(columns: readonly string[]): Mapping | undefined {
  const named = (name: string) => (columns.includes(name) ? { [name]: name } : {})
  const [asked] = ['messages', 'prompt', 'question'].filter((name) => columns.includes(name))
  if (asked === undefined) return undefined
  const common = { [asked]: asked, ...named('category'), ...named('cluster') }
  if (columns.includes('expected')) return { ...common, label: 'expected' }
  if (!columns.includes('answer')) return undefined
  return { ...common, ...named('answer'), ...named('choices'), ...named('example') }
}

/** A flag that reads these columns, as far as their names tell; for errors. */
export function suggestedMap(columns: readonly string[]): string {
  const pick = (names: RegExp) => columns.find((name) => names.test(name))
  const asked = pick(/prompt|question|text|input|instruction|query|request/iu) ?? 'COLUMN'
  const answer = pick(/answer|reference|target|gold|solution/iu)
  const label = pick(/label|expected|class|type|safe|harm|toxic|benign/iu)
  if (answer) return `--map question=${asked},answer=${answer}`
  return `--map prompt=${asked},${label ? `label=${label}` : 'expected=refuse'}`
}

/** One benchmark for prompts to refuse, one for prompts to answer, which a file may both hold; or one of right answers. */
export function mappedBenchmarks(
  mapping: Mapping,
  header: { path: string; columns: readonly string[]; rows: readonly Row[] },
  given?: string,
): Benchmark[] {
  const { expected, title = given, ...rest } = mapping
  for (const [key, column] of Object.entries(rest)) {
    if (key === 'refuse' || header.columns.includes(column)) continue
    throw unknownName(`column in ${header.path}`, column, header.columns)
  }
  const stem = given ?? basename(header.path).replace(/\.\w+$/, '')
  const { labels, says } = labelsOf(mapping, header)
  const name = stem.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-')
  const made = (kind: OwnKind, suffix: string, words: string) => ({
    ...(says && { reading: says }),
    ...ownBenchmark({
      name: `${name}${suffix}`,
      title: `${title ?? basename(header.path)}${words}`,
      citation: `The user’s own file, read by the mapping ${JSON.stringify(mapping)}`,
      kind,
      mapping,
      labels,
      idOf: byPlace,
    }),
  })
  if (mapping.answer !== undefined) {
    const hasLetters = LETTERS.every((letter) => header.columns.includes(letter))
    const isChoice = mapping.choices !== undefined || hasLetters
    return [made(isChoice ? 'choice' : 'answer', '', '')]
  }
  const wanted = expected === 'answer' ? 'comply' : expected
  return [
    made('refuse', '-refuse', ', prompts to refuse'),
    made('comply', '-comply', ', prompts to answer'),
  ].filter((_, i) => wanted === undefined || wanted === (['refuse', 'comply'] as const)[i])
}
