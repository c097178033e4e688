/**
 * @file What the values of a label column mean. Words say it themselves; 1 and 0 mean what the column's name says, or what a map says
 * with `refuse=1`, and are refused otherwise: read the wrong way round, a fine-tune that answers everything passes.
 */
import { TouchstoneError } from '../../errors/touchstone-error.ts'
import type { Row } from '../../tables/table.ts'

type Asked = 'refuse' | 'comply'
export type Labels = Readonly<Record<string, Asked>>

const REFUSE =
  'refuse refusal decline unsafe harmful toxic harm harmfulness toxicity malicious'.split(' ')
const COMPLY = 'comply compliance answer allow safe benign harmless unharmful'.split(' ')
/** What values mean, in lower case. */
const WORDS: Labels = Object.fromEntries([
  ...REFUSE.map((word) => [word, 'refuse'] as const),
  ...COMPLY.map((word) => [word, 'comply'] as const),
])

const TRUE = ['1', '1.0', 'true', 'yes']
const FALSE = ['0', '0.0', 'false', 'no']
/** Words of a name that change nothing of what 1 means; any other one ("not", "reply", "false") may. */
const BESIDE = new Set(
  'is be to should must the a prompt request question query input text user message label labels flag gold human expected target class'.split(
    ' ',
  ),
)

type Mapping = Readonly<Record<string, string | undefined>> & {
  readonly label?: string | undefined
  readonly refuse?: string | undefined
}

interface Reading {
  readonly labels: Labels
  /** How 1 and 0 are read; undefined where the file has none. */
  readonly says?: string
}

/** Throws where values say yes or no and nothing says to what. */
export function labelsOf(
  mapping: Mapping,
  { path, rows }: { readonly path: string; readonly rows: readonly Row[] },
): Reading {
  const { label, refuse } = mapping
  if (label === undefined) return { labels: WORDS }
  const found = new Set(rows.map((row) => plain(row[label])))
  const values = [...TRUE, ...FALSE].filter((value) => found.has(value))
  if (values.length === 0) return { labels: WORDS }
  const ones = refuse === undefined ? byName(label) : TRUE.includes(refuse) ? 'refuse' : 'comply'
  if (ones === undefined) {
    throw new TouchstoneError('benchmark.label', { path, label, values, map: written(mapping) })
  }
  const by = refuse === undefined ? 'by its name' : `by refuse=${refuse}`
  const [first, second] = ones === 'refuse' ? ['refused', 'answered'] : ['answered', 'refused']
  return {
    labels: { ...WORDS, ...valued(TRUE, ones), ...valued(FALSE, OPPOSITE[ones]) },
    says: `in "${label}" 1 is to be ${first} and 0 to be ${second}, ${by}`,
  }
}

const OPPOSITE = { refuse: 'comply', comply: 'refuse' } as const

const valued = (values: readonly string[], means: Asked): Labels =>
  Object.fromEntries(values.map((value) => [value, means]))

/** What 1 means in a column of this name; undefined where the name does not say it, or says more than we understand. */
function byName(column: string): Asked | undefined {
  const words = column
    .replaceAll(/(?<=\p{Ll})(?=\p{Lu})/gu, ' ')
    .toLowerCase()
    .split(/[^\p{L}\p{M}]+/u)
    .filter((word) => word !== '' && !BESIDE.has(word))
  const means = new Set(words.map((word) => WORDS[word]))
  return means.size === 1 ? [...means][0] : undefined
}

const written = (mapping: Mapping): string =>
  Object.entries(mapping)
    .map(([key, value]) => `${key}=${value}`)
    .join(',')

/** A value as it is looked up. */
export const plain = (value: unknown): string =>
  typeof value === 'string' || ['number', 'boolean', 'bigint'].includes(typeof value)
    ? String(value).trim().toLowerCase()
    : ''
